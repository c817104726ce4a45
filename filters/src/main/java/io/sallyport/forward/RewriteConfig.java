// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.config.Setting;

/** Section {@code rewrite} of a route: what of an answer names the upstream and is made to name the gateway. */
public record RewriteConfig(
        @Setting(
                value =
                        "Whether Location and Content-Location that name the upstream's address name the gateway's, under the path that the"
                                + " client asked for. Other addresses stay.",
                byDefault = "false")
        boolean location,

        @Setting(
                value =
                        "Whether Set-Cookie has the route's host where its Domain is the upstream's or a part of it, and the client's path where"
                                + " filters change paths.",
                byDefault = "false")
        boolean cookies) {}
