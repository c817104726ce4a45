// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import dev.cel.common.types.CelType;
import dev.cel.common.types.ListType;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.runtime.CelVariableResolver;
import io.netty.util.NetUtil;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What rules can name, and its values for one request. A value is made when a rule reads it; the two that are worth it are kept
 * for the next rule.
 */
final class RequestVariables implements CelVariableResolver {
    private static final Struct REQUEST = new Struct(
            "request",
            Map.of(
                    "method",
                    new Struct.Member(
                            SimpleType.STRING,
                            request -> request.context.head().method().name()),
                    "host",
                    new Struct.Member(
                            SimpleType.STRING,
                            request -> request.context.requireRoute().host()),
                    "path",
                    new Struct.Member(SimpleType.STRING, RequestVariables::path),
                    "headers",
                    new Struct.Member(MapType.create(SimpleType.STRING, SimpleType.STRING), RequestVariables::headers),
                    "query",
                    new Struct.Member(MapType.create(SimpleType.STRING, SimpleType.STRING), RequestVariables::query)));

    private static final Struct TOKEN = new Struct(
            "token",
            Map.of(
                    "claims",
                    token(MapType.create(SimpleType.STRING, SimpleType.DYN), token -> new ClaimsView(token.claims())),
                    "scopes",
                    token(ListType.create(SimpleType.STRING), token -> List.copyOf(token.scopes())),
                    "issuer",
                    token(SimpleType.STRING, Principal.Subject::issuer),
                    "subject",
                    token(SimpleType.STRING, Principal.Subject::subject),
                    "client_id",
                    token(SimpleType.STRING, Principal.Subject::clientId),
                    "acr",
                    token(SimpleType.STRING, Principal.Subject::acr),
                    "amr",
                    token(ListType.create(SimpleType.STRING), Principal.Subject::amr),
                    "age",
                    new Struct.Member(SimpleType.INT, RequestVariables::tokenAge)));

    private static final Struct PRINCIPAL = new Struct(
            "principal",
            Map.of(
                    "kind",
                    new Struct.Member(SimpleType.STRING, request -> switch (request.context.principal()) {
                        case Principal.Anonymous _ -> "anonymous";
                        case Principal.Workload _ -> "workload";
                        case Principal.Subject _ -> "subject";
                    }),
                    "id",
                    new Struct.Member(SimpleType.STRING, request -> switch (request.context.principal()) {
                        case Principal.Anonymous _ -> null;
                        case Principal.Workload workload -> workload.spiffeId().toString();
                        case Principal.Subject subject -> subject.subject();
                    }),
                    "spiffe_id",
                    new Struct.Member(
                            SimpleType.STRING,
                            request -> request.context.principal() instanceof Principal.Workload workload
                                    ? workload.spiffeId().toString()
                                    : null)));

    private static final Struct CLIENT = new Struct(
            "client", Map.of("address", new Struct.Member(SimpleType.STRING, RequestVariables::clientAddress)));

    private static final Struct RISK = new Struct("risk", Map.of("score", new Struct.Member(SimpleType.INT, request ->
            (long) request.context.riskScore().value())));

    /** The instant at which the request was received: the one variable without members. */
    static final String NOW = "now";

    private final RequestContext context;
    private final Struct path;
    private @Nullable HeadersView headers;
    private @Nullable QueryView query;

    /** @param path the variables of the route's path */
    RequestVariables(RequestContext context, Struct path) {
        this.context = context;
        this.path = path;
    }

    /** Every variable with members, {@code path} among them. */
    static List<Struct> structs(Struct path) {
        return List.of(REQUEST, path, TOKEN, PRINCIPAL, CLIENT, RISK);
    }

    /** The variables of a path with these names, each a string. */
    static Struct pathStruct(Set<String> names) {
        var members = new HashMap<String, Struct.Member>();
        for (var name : names) {
            members.put(
                    name,
                    new Struct.Member(
                            SimpleType.STRING,
                            request -> request.context.pathVariables().get(name)));
        }
        return new Struct("path", members);
    }

    @Override
    public Optional<Object> find(String name) {
        return switch (name) {
            case "request" -> viewOf(REQUEST);
            case "path" -> viewOf(path);
            case "token" -> viewOf(TOKEN);
            case "principal" -> viewOf(PRINCIPAL);
            case "client" -> viewOf(CLIENT);
            case "risk" -> viewOf(RISK);
            case NOW -> Optional.of(context.receivedAt());
            default -> Optional.empty();
        };
    }

    private Optional<Object> viewOf(Struct struct) {
        return Optional.of(new StructView(struct, this));
    }

    private interface OfToken {
        @Nullable
        Object read(Principal.Subject token);
    }

    // Without a token even the claims are missing:
    // an empty map would make `!has(token.claims.suspended)` true of nobody.
    private static Struct.Member token(CelType type, OfToken value) {
        return new Struct.Member(
                type,
                request ->
                        request.context.principal() instanceof Principal.Subject subject ? value.read(subject) : null);
    }

    private @Nullable Object tokenAge() {
        return context.principal() instanceof Principal.Subject subject
                ? Duration.between(subject.issuedAt(), context.receivedAt()).toSeconds()
                : null;
    }

    private @Nullable Object path() {
        var canonical = context.path();
        return canonical == null ? null : canonical.value();
    }

    private Object headers() {
        if (headers == null) {
            headers = new HeadersView(context.head().headers());
        }
        return headers;
    }

    private Object query() {
        if (query == null) {
            query = new QueryView(context.query());
        }
        return query;
    }

    private @Nullable Object clientAddress() {
        var client = context.client();
        return client == null ? null : NetUtil.toAddressString(client.address());
    }
}
