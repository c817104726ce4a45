// SPDX-License-Identifier: Apache-2.0
/**
 * How a section of the configuration file is declared, read and found wrong. A section is a record beside the stage that it
 * belongs to; {@link io.sallyport.config.Setting} documents each key. From these records come the binding, the unknown-key
 * check, the JSON Schema and {@code docs/configuration.md}: there is no second list of keys.
 *
 * <p>Knows no section and no stage: {@code compile} puts them together.
 */
@NullMarked
package io.sallyport.config;

import org.jspecify.annotations.NullMarked;
