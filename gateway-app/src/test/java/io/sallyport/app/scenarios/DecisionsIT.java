// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

class DecisionsIT extends DecisionScenarios {}
