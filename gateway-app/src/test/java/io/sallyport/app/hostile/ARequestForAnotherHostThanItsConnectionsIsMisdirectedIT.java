// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.scenarios.RawConnection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Domain fronting, after "Blocking-resistant communication through domain fronting", David Fifield and others (2015). */
class ARequestForAnotherHostThanItsConnectionsIsMisdirectedIT {
    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Test
    void it_is_a_421_and_reaches_no_upstream_and_the_connection_goes_on_for_its_own_host() throws Exception {
        int mark = world.upstream().mark();
        try (var connection = RawConnection.open(world.tls(), world.port(), "http/1.1", Way.DIRECT.host(), "")) {
            var misdirected = connection
                    .write(get("/fronted", Way.THROUGH_FILTERS.host()))
                    .read();

            assertThat(misdirected.status()).isEqualTo(421);
            assertThat(misdirected.body()).contains("https://sallyport.io/errors/misdirected");
            assertThat(connection
                            .write(get(world.target(), Way.DIRECT.host()))
                            .read()
                            .status())
                    .isEqualTo(200);
        }
        assertThat(world.upstream().since(mark))
                .noneMatch(message -> message.bytes().contains("/fronted"));
    }

    private static String get(String target, String host) {
        return "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(target, host);
    }
}
