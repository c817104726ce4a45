// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.OpenSsl;
import io.sallyport.forward.TestCa;
import java.util.List;
import org.junit.jupiter.api.Test;

class ListenerTlsTest {
    @Test
    void the_native_library_is_used_where_there_is_one() throws Exception {
        var svid = TestCa.of("example.org").issue(new TestCa.Leaf().dnsName("api.example.org"));
        var certificates = new ServerCertificates(List.of(ServerCertificate.of(svid.chain(), svid.key())));

        assertThat(ListenerTls.isNative()).isEqualTo(OpenSsl.isAvailable());
        assertThat(ListenerTls.context(certificates, builder -> builder)
                        .getClass()
                        .getSimpleName())
                .startsWith(OpenSsl.isAvailable() ? "OpenSsl" : "Jdk");
    }
}
