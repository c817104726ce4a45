// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.DemoRotation;
import io.sallyport.app.demo.DemoParts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Keys change while requests are under way, and no request notices. */
class RotationIT {
    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.ofItsOwn();

    @Test
    void a_renewed_svid_is_used_for_upstreams_and_fails_no_request() throws Exception {
        var result = DemoRotation.ofSvid(gateway.session());

        assertThat(result.requests()).isPositive();
        assertThat(result.failed()).isZero();
        assertThat(result.generations()).isEqualTo(result.expectedGenerations());
    }

    @Test
    void a_renewed_key_of_the_issuer_is_accepted_at_once_and_fails_no_request() throws Exception {
        var result = DemoRotation.ofIssuerKey(gateway.session());

        assertThat(result.requests()).isPositive();
        assertThat(result.failed()).isZero();
        assertThat(result.generations()).isEqualTo(result.expectedGenerations());
    }

    @Test
    void a_token_of_the_former_key_is_good_as_long_as_the_issuer_publishes_it() throws Exception {
        var path = gateway.ingress("/v1/tenants/acme/payments/42");
        var old = gateway.token(DemoParts.ACME);
        assertThat(gateway.get(path, old).statusCode()).isEqualTo(200);

        gateway.parts().issuer().rotateKeys();

        assertThat(gateway.get(path, old).statusCode()).isEqualTo(200);
    }
}
