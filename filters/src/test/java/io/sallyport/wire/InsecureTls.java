// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;

/** TLS for clients of a test, which trust whatever certificate the server under test has. */
public final class InsecureTls {
    public static final SslContext CLIENT = build(builder());

    private InsecureTls() {}

    /** TLS 1.2 with one suite alone. */
    public static SslContext withSuite(String suite) {
        return build(builder().sslProvider(SslProvider.JDK).protocols("TLSv1.2").ciphers(List.of(suite)));
    }

    /** The same by the JDK. */
    public static SSLContext trustingAll() {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), new SecureRandom());
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static SslContextBuilder builder() {
        return SslContextBuilder.forClient()
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .endpointIdentificationAlgorithm(null);
    }

    private static SslContext build(SslContextBuilder builder) {
        try {
            return builder.build();
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }
}
