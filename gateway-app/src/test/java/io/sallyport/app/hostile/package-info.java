// SPDX-License-Identifier: Apache-2.0
/**
 * What an attacker on the internet, or behind an upstream's certificate, may send: byte for byte, over real TLS, on both ways
 * forward, against one gateway. One file for each claim. {@link io.sallyport.app.hostile.RecordingUpstream} keeps every byte that
 * got through, so that a second request, another path or a field that should have been removed is seen and not guessed.
 *
 * <p>{@code mvn verify} sends each input once, {@code make hostile} on both ways forward ({@link io.sallyport.app.hostile.Effort}).
 */
package io.sallyport.app.hostile;
