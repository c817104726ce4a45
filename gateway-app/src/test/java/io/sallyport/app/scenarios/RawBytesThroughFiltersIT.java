// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

@ThroughFilters
class RawBytesThroughFiltersIT extends RawBytesScenarios {}
