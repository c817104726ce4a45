// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/** The handler of a connection to an upstream that knows what is under way on it. */
interface Retirable {
    /** Its name in the channel's pipeline. */
    String NAME = "sallyport.upstream-connection";

    /** That of a channel; null if it is gone already. */
    static @Nullable Retirable on(Channel channel) {
        return channel.pipeline().get(NAME) instanceof Retirable connection ? connection : null;
    }

    /** No further request is to be sent here: closes at once if none is under way, else when the last answer has ended. */
    void retire();
}
