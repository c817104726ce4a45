// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.AsciiString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which headers are somebody's word about a caller, however they are written. */
class IdentityHeadersTest {

    @Test
    void names_are_known_in_every_case_and_as_every_kind_of_text() {
        for (var name : IdentityHeaders.NAMES) {
            assertThat(IdentityHeaders.STANDARD.contains(name)).as(name).isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(name.toUpperCase(Locale.ROOT)))
                    .isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(new AsciiString(name))).isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(name.replace("-", "---")))
                    .as("runs of dashes")
                    .isTrue();
            assertThat(IdentityHeaders.STANDARD.find(name + "q")).as(name + "q").isNotEqualTo(name);
        }
        for (var family : IdentityHeaders.FAMILIES) {
            assertThat(IdentityHeaders.STANDARD.contains(family + "anything"))
                    .as(family)
                    .isTrue();
            assertThat(IdentityHeaders.STANDARD.contains(new AsciiString(family.toUpperCase(Locale.ROOT) + "ANYTHING")))
                    .isTrue();
            assertThat(IdentityHeaders.STANDARD.contains("a" + family))
                    .as("a" + family)
                    .isFalse();
        }
        assertThat(IdentityHeaders.STANDARD.contains("")).isFalse();
    }

    @Test
    void a_header_is_found_under_its_listed_name_or_its_family() {
        var headers = IdentityHeaders.with(List.of("X--Corp-User"));

        assertThat(headers.find("x-corp--user")).isEqualTo("x-corp-user");
        assertThat(headers.find("X-USER-ID")).isEqualTo("x-user-id");
        assertThat(headers.find("X--Forwarded--For")).isEqualTo("x-forwarded-*");
        assertThat(headers.find("x-corp")).isNull();
        assertThat(IdentityHeaders.STANDARD.find("x-corp-user")).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-JWT-Payload",
                "X-SPIFFE-ID",
                "X-Roles",
                "X-Tenant-ID",
                "OIDC-Claim-sub",
                "X-MS-Client-Principal",
                "X-MS-Client-Principal-Name",
                "X-MS-TOKEN-AAD-ACCESS-TOKEN",
                "X-Amzn-Oidc-Data",
                "X-Amzn-Mtls-Clientcert-Subject",
                "X-Goog-Authenticated-User-Email",
                "X-Goog-IAP-JWT-Assertion",
                "Proxy-Client-IP",
                "WL-Proxy-Client-IP",
                "SM-User",
                "iv-user",
                "iv-groups",
                "Cookie2",
                "Impersonate-User",
                "Remote-Groups",
                "l5d-client-id",
                "X-Hasura-Role",
                "X-Pomerium-Jwt-Assertion",
                "Shib-Identity-Provider",
            })
    void what_other_products_say_of_a_caller_is_built_in(String name) {
        assertThat(IdentityHeaders.STANDARD.contains(name)).isTrue();
    }

    @Test
    void a_route_can_let_some_of_them_pass() {
        var some = IdentityHeaders.with(List.of("X-Corp-User"))
                .except(List.of("X-Tenant-ID", "X-Corp-User", "X-Goog-Api-Key"));

        assertThat(some.contains("x-tenant--id")).isFalse();
        assertThat(some.contains("x-corp-user")).isFalse();
        assertThat(some.contains("x-goog-api-key")).isFalse();
        assertThat(some.contains("x-goog-iap-jwt-assertion")).isTrue();
        assertThat(some.contains("x-user")).isTrue();
    }

    @Test
    void the_documentation_lists_them_all() throws IOException {
        var documentation = Files.readString(Path.of("../docs/routing.md")).toLowerCase(Locale.ROOT);

        assertThat(IdentityHeaders.NAMES)
                .allSatisfy(name -> assertThat(documentation).contains("`" + name + "`"));
        assertThat(IdentityHeaders.FAMILIES)
                .allSatisfy(family -> assertThat(documentation).contains("`" + family + "*`"));
    }
}
