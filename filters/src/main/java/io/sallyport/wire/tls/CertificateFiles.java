// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.sallyport.config.Setting;
import java.nio.file.Path;

/**
 * The files of one certificate.
 *
 * @param certificate the chain, leaf first
 * @param key the leaf's private key, not encrypted
 */
public record CertificateFiles(
        @Setting("A PEM file with the certificate chain, the leaf first.")
        Path certificate,

        @Setting(
                "A PEM file with the leaf's private key, not encrypted: PKCS #8, PKCS #1 or SEC 1; RSA, EC or Ed25519.")
        Path key) {}
