// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An upstream at {@code http://127.0.0.1:9201}, and a gateway at {@code https://shop.example.org:8443}. */
class AnswerRewriteTest {
    private final Findings findings = new Findings();

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:9201/login?x=1#f, https://shop.example.org:8443/login?x=1#f",
        "HTTP://127.0.0.1:9201/login, https://shop.example.org:8443/login",
        "http://127.0.0.1:9201, https://shop.example.org:8443",
        "http://127.0.0.1:9201?x, https://shop.example.org:8443?x",
        "https://127.0.0.1:9201/login, https://shop.example.org:8443/login",
        "//127.0.0.1:9201/login, https://shop.example.org:8443/login",
        "http://shop.example.org/login, https://shop.example.org:8443/login",
        "/login, /login",
        "login, login",
        "?x, ?x",
        "http://127.0.0.1/login, http://127.0.0.1/login",
        "http://127.0.0.1:92011/login, http://127.0.0.1:92011/login",
        "http://127.0.0.1:9201@evil.test/, http://127.0.0.1:9201@evil.test/",
        "http://127.0.0.1:9201.evil.test/, http://127.0.0.1:9201.evil.test/",
        "https://idp.example.org/authorize?redirect_uri=http://127.0.0.1:9201/, https://idp.example.org/authorize?redirect_uri=http://127.0.0.1:9201/",
        "mailto:a@127.0.0.1, mailto:a@127.0.0.1",
    })
    void what_names_the_upstream_names_the_gateway(String location, String rewritten) {
        var head = new DefaultHttpHeaders().add("location", location).add("content-location", location);

        edit(new RewriteConfig(true, false), head, "/a", "/a");

        assertThat(head.getAll("location")).containsExactly(rewritten);
        assertThat(head.getAll("content-location")).containsExactly(rewritten);
    }

    @ParameterizedTest
    @CsvSource({
        // StripPrefix
        "/shop/cart/7, /cart/7, /login, /shop/login",
        "/shop/cart/7, /cart/7, /, /shop/",
        "/shop/cart/7, /cart/7, /login?next=/cart, /shop/login?next=/cart",
        "/shop/, /, /login, /shop/login",
        "/shop, /, /login, /shop/login",
        // which the upstream knows
        "/shop/cart/7, /cart/7, /shop/login, /shop/login",
        // PrefixPath
        "/cart/7, /api/cart/7, /api/login, /login",
        "/cart/7, /api/cart/7, /api, /",
        "/cart/7, /api/cart/7, /apix, /apix",
        "/cart/7, /api/cart/7, /elsewhere, /elsewhere",
        // RewritePath, SetPath
        "/v1/acme/cart/7, /of/acme/cart/7, /of/login, /v1/login",
        "/v1/acme, /of/acme/x, /of/acme/x/y, /v1/acme/y",
        "/a, /a, /b, /b",
    })
    void paths_that_filters_have_changed_are_changed_back(
            String asked, String sent, String location, String rewritten) {
        var head = new DefaultHttpHeaders()
                .add("location", location)
                .add("set-cookie", "a=b; Path=" + location.replaceAll("[?].*", ""));

        edit(new RewriteConfig(true, true), head, asked, sent);

        assertThat(head.get("location")).isEqualTo(rewritten);
        assertThat(head.get("set-cookie")).isEqualTo("a=b; Path=" + rewritten.replaceAll("[?].*", ""));
    }

    @ParameterizedTest
    @CsvSource({
        "a=b, a=b",
        "a=b; Domain=orders.internal; Path=/; Secure, a=b; Domain=shop.example.org; Path=/; Secure",
        "a=b;domain=.ORDERS.internal;HttpOnly, a=b; Domain=shop.example.org;HttpOnly",
        "a=b; Domain=internal, a=b; Domain=shop.example.org",
        "a=b; Domain=other.internal, a=b; Domain=other.internal",
        "a=b; Domain=example.org, a=b; Domain=example.org",
        "a=Domain=orders.internal, a=Domain=orders.internal",
        "__Host-a=b; Secure; Path=/, __Host-a=b; Secure; Path=/",
    })
    void a_cookie_of_the_upstreams_host_becomes_one_of_the_routes(String cookie, String rewritten) {
        var head = new DefaultHttpHeaders().add("set-cookie", cookie).add("set-cookie", "other=1");
        var rewrite = compile(new RewriteConfig(false, true));

        rewrite.edit(
                head,
                "shop.example.org",
                TestTarget.plaintext(9201).at("orders.internal").build(),
                "/a",
                "/a");

        assertThat(head.getAll("set-cookie")).containsExactly(rewritten, "other=1");
    }

    @Test
    void what_is_not_asked_for_stays() {
        var head = new DefaultHttpHeaders()
                .add("location", "http://127.0.0.1:9201/")
                .add("set-cookie", "a=b; Domain=127.0.0.1");

        edit(new RewriteConfig(false, true), head, "/a", "/a");
        assertThat(head.get("location")).isEqualTo("http://127.0.0.1:9201/");
        assertThat(head.get("set-cookie")).isEqualTo("a=b; Domain=shop.example.org");
    }

    @Test
    void a_section_without_effect_does_not_load() {
        assertThat(AnswerRewrite.compile(new RewriteConfig(false, false), "https", "", findings.at("routes.a.rewrite")))
                .isNull();
        assertThat(findings.all())
                .containsExactly(new Finding(
                        "routes.a.rewrite", "(a section)", "location: true, or cookies: true, or no such section"));
    }

    private void edit(RewriteConfig config, HttpHeaders head, String asked, String sent) {
        compile(config)
                .edit(head, "shop.example.org", TestTarget.plaintext(9201).build(), asked, sent);
    }

    private AnswerRewrite compile(RewriteConfig config) {
        return Objects.requireNonNull(AnswerRewrite.compile(config, "https", ":8443", findings.at("rewrite")));
    }
}
