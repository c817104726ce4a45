// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.sallyport.config.Setting;
import java.nio.file.Path;

/**
 * The files of one certificate.
 *
 * @param certificate the chain, leaf first
 * @param key the leaf's private key, PKCS #8, not encrypted
 */
public record CertificateFiles(
        @Setting("A PEM file with the certificate chain, the leaf first.")
        Path certificate,

        @Setting("A PEM file with the leaf's private key: PKCS #8, not encrypted.")
        Path key) {}
