// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

class RawBytesIT extends RawBytesScenarios {}
