// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * The host names that a server's certificate is good for, as clients read them (RFC 9525): DNS names of the subject alternative
 * name, where a wildcard stands for exactly one label at the left, and addresses. The common name is nobody's any more.
 *
 * @param exact in lower case
 * @param parents what follows {@code *.} of each wildcard, in lower case
 */
public record CertificateNames(Set<String> exact, Set<String> parents) {
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;
    private static final String WILDCARD = "*.";

    public CertificateNames {
        exact = Set.copyOf(exact);
        parents = Set.copyOf(parents);
    }

    /**
     * Reads those of one certificate.
     *
     * @throws CertificateParsingException if the subject alternative name is no such thing
     */
    public static CertificateNames of(X509Certificate leaf) throws CertificateParsingException {
        var exact = new HashSet<String>();
        var parents = new HashSet<String>();
        var names = leaf.getSubjectAlternativeNames();
        if (names != null) {
            for (var name : names) {
                int type = (Integer) name.get(0);
                if (type == DNS_NAME || type == IP_ADDRESS) {
                    add(((String) name.get(1)).toLowerCase(Locale.ROOT), exact, parents);
                }
            }
        }
        return new CertificateNames(exact, parents);
    }

    private static void add(String name, Set<String> exact, Set<String> parents) {
        if (name.startsWith(WILDCARD)) {
            parents.add(name.substring(WILDCARD.length()));
        } else {
            exact.add(name);
        }
    }

    /**
     * Whether it is good for that host.
     *
     * @param host in lower case, without a port
     */
    public boolean cover(String host) {
        if (exact.contains(host)) {
            return true;
        }
        int dot = host.indexOf('.');
        return dot > 0 && parents.contains(host.substring(dot + 1));
    }
}
