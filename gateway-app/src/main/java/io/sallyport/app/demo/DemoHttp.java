// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/** The JDK's HTTP client, as somebody outside would set it up: real TLS, one trusted root. */
public final class DemoHttp {
    private DemoHttp() {}

    /** A client that follows no redirects and trusts this root only. */
    public static HttpClient clientTrusting(X509Certificate root) {
        return HttpClient.newBuilder()
                .sslContext(tlsTrusting(root))
                .connectTimeout(Duration.ofSeconds(5))
                .build();
    }

    /** The same client, which shows a certificate to servers that ask for one. */
    public static HttpClient clientTrusting(X509Certificate root, Credentials own) {
        return HttpClient.newBuilder()
                .sslContext(tlsTrusting(root, own))
                .connectTimeout(Duration.ofSeconds(5))
                .build();
    }

    /** TLS for a client that trusts this root only. */
    public static SSLContext tlsTrusting(X509Certificate root) {
        return tls(root, null);
    }

    /** The same, for a client that shows a certificate to servers that ask for one. */
    public static SSLContext tlsTrusting(X509Certificate root, Credentials own) {
        return tls(root, DemoTls.keys(own));
    }

    private static SSLContext tls(X509Certificate root, KeyManager @Nullable [] keys) {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(keys, new TrustManager[] {DemoTls.pkix(root)}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no TLS", e);
        }
    }
}
