// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.edge.PathRules;
import io.sallyport.identity.IdentityHeaders;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FilterDefinitionsTest {
    private final Findings findings = new Findings();
    private PathRules paths = PathRules.STRICT;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "AddRequestHeader=X-Color, blue",
                "AddRequestParameter=color, blue",
                "AddResponseHeader=X-Color, blue",
                "DedupeResponseHeader=X-Color, RETAIN_FIRST",
                "MapRequestHeader=X-From, X-To",
                "PrefixPath=/api",
                "RemoveRequestHeader=X-Color",
                "RemoveRequestParameter=color",
                "RemoveResponseHeader=X-Color",
                "RequestHeaderSize=1000B",
                "RequestSize=5MB",
                "RewritePath=/old/(?<rest>.*), /new/$\\{rest}",
                "RewriteResponseHeader=X-Color, red, blue",
                "SecureHeaders",
                "SetPath=/fixed",
                "SetRequestHeader=X-Color, blue",
                "SetResponseHeader=X-Color, blue",
                "StripPrefix=1"
            })
    void a_filter_of_the_list_compiles(String definition) {
        var compiled = compile(definition);

        assertThat(findings.all()).isEmpty();
        assertThat(Objects.requireNonNull(compiled).filters()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SetRequestUri=http://elsewhere.example",
                "RequestHeaderToRequestUri=X-Target",
                "RedirectTo=302, https://elsewhere.example",
                "RewriteLocationResponseHeader=AS_IN_REQUEST, Location, ,",
                "RewriteRequestParameter=color, blue",
                "SetRequestHostHeader=elsewhere.example",
                "PreserveHostHeader",
                "TokenRelay=",
                "RequestRateLimiter=1, 2",
                "Retry=3",
                "CircuitBreaker=name",
                "ModifyRequestBody",
                "JsonToGrpc",
                "SaveSession"
            })
    void a_filter_that_is_not_on_the_list_does_not_load(String definition) {
        assertThat(compile(definition)).isNull();
        assertThat(findings.all()).hasSize(1);
    }

    @Test
    void a_misspelt_filter_is_told_the_nearest_name() {
        assertThat(compile("StripPrefx=1")).isNull();
        assertThat(findings.all()).singleElement().satisfies(finding -> {
            assertThat(finding.path()).isEqualTo("sallyport.routes.orders.filters[0]");
            assertThat(finding.value()).isEqualTo("StripPrefx=1");
            assertThat(finding.expected()).contains("StripPrefix");
        });
    }

    @Test
    void wrong_arguments_are_told_which_ones_there_are() {
        assertThat(compile("StripPrefix=one", "RewritePath=(, /x")).isNull();
        assertThat(findings.all())
                .extracting(Finding::expected)
                .containsExactly(
                        "how many segments to strip, 1 to 99",
                        "a regular expression of RE2, which has no look-around and no back-references");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "AddRequestHeader=X-Forwarded-For, 6.6.6.6",
                "SetRequestHeader=Authorization, Bearer x",
                "SetRequestHeader=Host, elsewhere.example",
                "MapRequestHeader=X-From, X-Request-ID",
                "AddResponseHeader=X-Request-ID, theirs",
                "SetResponseHeader=RateLimit, none"
            })
    void a_header_that_the_gateway_writes_itself_is_no_filters_to_write(String definition) {
        assertThat(compile(definition)).isNull();
        assertThat(findings.all()).hasSize(1);
    }

    @Test
    void a_variable_that_the_path_does_not_have_does_not_load() {
        assertThat(compile("AddRequestHeader=X-Tenant, {tenant}")).isNotNull();
        assertThat(compile("AddRequestHeader=X-Tenant, {tennant}")).isNull();
    }

    @Test
    void a_variable_cannot_write_further_query_parameters() {
        assertThat(compile("AddRequestParameter=tenant, {tenant}")).isNull();
    }

    @Test
    void an_expression_is_never_evaluated() {
        assertThat(compile("AddRequestHeader=X-Color, #{T(java.lang.Runtime).getRuntime()}"))
                .isNull();
        assertThat(findings.all()).hasSize(1);
    }

    @Test
    void every_wrong_filter_is_found_at_once() {
        assertThat(compile("Nothing", "StripPrefix=1", "Retry=3")).isNull();
        assertThat(findings.all())
                .extracting(Finding::path)
                .containsExactly("sallyport.routes.orders.filters[0]", "sallyport.routes.orders.filters[2]");
    }

    @Test
    void where_a_value_may_have_a_slash_no_path_is_made_of_it() {
        paths = new PathRules(PathRules.Handling.PASS, PathRules.Handling.REFUSE);

        assertThat(compile(
                        "SetPath=/of/{tenant}", "PrefixPath=/{tenant}", "SetPath=/x", "AddRequestHeader=X-T, {tenant}"))
                .isNull();
        assertThat(findings.all())
                .extracting(Finding::path)
                .containsExactly("sallyport.routes.orders.filters[0]", "sallyport.routes.orders.filters[1]");
    }

    private @Nullable CompiledFilters compile(String... definitions) {
        return FilterDefinitions.compile(
                List.of(definitions),
                Set.of("tenant"),
                paths,
                IdentityHeaders.STANDARD,
                findings.at("sallyport.routes.orders.filters"));
    }
}
