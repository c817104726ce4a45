// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

/** Bytes that a client sends together. */
final class Packet {
    private final int number;
    private final Wait after;
    private final byte[] bytes;

    /**
     * @param number of the request that they begin with
     * @param after what the client waits for before it sends them
     */
    Packet(int number, Wait after, byte[] bytes) {
        this.number = number;
        this.after = after;
        this.bytes = bytes;
    }

    int number() {
        return number;
    }

    Wait after() {
        return after;
    }

    /** Not to be changed. */
    byte[] bytes() {
        return bytes;
    }

    /** What a client waits for. */
    sealed interface Wait {
        /** Nothing: the bytes belong to the packet before. */
        enum Nothing implements Wait {
            NOTHING;

            @Override
            public String toString() {
                return "+";
            }
        }

        /** That the packet before has been sent, and that long. */
        record Pause(int millis) implements Wait {
            @Override
            public String toString() {
                return millis + " ms";
            }
        }

        /** That every request before has been answered. */
        enum Earlier implements Wait {
            EARLIER;

            @Override
            public String toString() {
                return "answer";
            }
        }

        /**
         * That so many requests have been answered.
         *
         * @param orContinue whether an informational response to the next one is enough
         */
        record Answers(int number, boolean orContinue) implements Wait {}
    }
}
