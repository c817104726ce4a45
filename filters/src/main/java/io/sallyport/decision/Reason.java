// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

/**
 * The public registry of why a request was refused: stage name, dot, cause. Append-only; a code is never renamed, and a status
 * that turns out to be wrong changes under a line of the changelog. {@code docs/reasons.md} is generated from it.
 *
 * <p>Operators see the code in each record. Clients see the {@link PublicCode} and nothing finer.
 */
public enum Reason {
    // edge
    EDGE_REQUEST_LINE_MALFORMED(
            "edge.request_line_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "The request line is not one method, one target and one supported HTTP/1.x version, separated by single spaces (RFC 9112 section 3).",
            "Look at the client or proxy in front; no conforming client sends this."),
    EDGE_HEADER_MALFORMED(
            "edge.header_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "A header line has no valid name, white space before its colon, a bare CR, NUL or another control character, or is folded (RFC 9112 section 5).",
            "Look at the client; folded headers and control characters are request-smuggling tools."),
    EDGE_FRAMING_AMBIGUOUS(
            "edge.framing_ambiguous",
            400,
            PublicCode.BAD_REQUEST,
            "The length of the body can be read in more than one way: Content-Length with Transfer-Encoding, several or malformed Content-Length, or a Transfer-Encoding other than chunked (RFC 9112 section 6.3).",
            "Treat as an attack unless a broken proxy in front explains it."),
    EDGE_BODY_MALFORMED(
            "edge.body_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "The chunked body broke the grammar of RFC 9112 section 7.1, or ended before its announced length. The upstream connection was closed without completing the request.",
            "Look at the client; a cut upload has the same reason."),
    EDGE_PROTOCOL_ERROR(
            "edge.protocol_error",
            400,
            PublicCode.BAD_REQUEST,
            "The HTTP codec could not read the message.",
            "Compare the client with others; the record's evidence names what the codec refused."),
    EDGE_EXPECTATION_UNSUPPORTED(
            "edge.expectation_unsupported",
            400,
            PublicCode.BAD_REQUEST,
            "Expect names something other than 100-continue (RFC 9110 section 10.1.1).",
            "The client must not send it."),
    EDGE_TARGET_MALFORMED(
            "edge.target_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "The request target is neither origin-form nor an absolute-form that agrees with Host, or it names https on a connection without TLS.",
            "Point the client at the gateway as an origin server, not as a proxy."),
    EDGE_TARGET_TOO_LONG(
            "edge.target_too_long",
            414,
            PublicCode.TOO_LARGE,
            "The request line is longer than listener.max-request-line.",
            "Raise the limit if clients are genuine."),
    EDGE_HEADERS_TOO_LARGE(
            "edge.headers_too_large",
            431,
            PublicCode.TOO_LARGE,
            "The header block, with the trailers, is longer than listener.max-headers or has more than 100 lines.",
            "Raise the limit if clients are genuine; large cookies are the usual cause."),
    EDGE_BODY_TOO_LARGE(
            "edge.body_too_large",
            413,
            PublicCode.TOO_LARGE,
            "The body is, or grew, longer than the route's max-body.",
            "Raise max-body on that route if uploads of this size are meant to pass."),
    EDGE_REQUEST_TIMEOUT(
            "edge.request_timeout",
            408,
            PublicCode.BAD_REQUEST,
            "The request did not arrive within the time that the listener allows.",
            "A slow network or a slow-request attack: look at the count per address."),
    EDGE_ANSWER_TIMEOUT(
            "edge.answer_timeout",
            408,
            PublicCode.BAD_REQUEST,
            "The client did not read its answer, or hardly, for listener.answer-timeout. The answer was broken off and the upstream let go.",
            "A very slow network or a slow-read attack: look at the count per address."),
    EDGE_HOST_MISSING(
            "edge.host_missing",
            400,
            PublicCode.BAD_REQUEST,
            "There is no Host, or an empty one.",
            "The client must send Host."),
    EDGE_HOST_AMBIGUOUS(
            "edge.host_ambiguous",
            400,
            PublicCode.BAD_REQUEST,
            "There are several Host lines, or Host and the authority of an absolute target differ.",
            "Treat as an attack."),
    EDGE_HOST_MALFORMED(
            "edge.host_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "Host is not a host name or address with an optional port; names have no underscore and no final dot.",
            "Look at the client."),
    EDGE_HOST_UNKNOWN(
            "edge.host_unknown",
            404,
            PublicCode.NOT_FOUND,
            "No route names this host.",
            "Add the host to a route, or ignore: scanners ask for addresses and random names."),
    EDGE_MISDIRECTED(
            "edge.misdirected",
            421,
            PublicCode.MISDIRECTED,
            "The connection was made for another host: its SNI names one, and the certificate that it was shown does not cover Host.",
            "A client that uses one connection for several hosts makes a new one and needs nothing more; else an attack (domain fronting)."),
    EDGE_METHOD_REFUSED(
            "edge.method_refused",
            405,
            PublicCode.METHOD_NOT_ALLOWED,
            "TRACE and CONNECT are never served.",
            "Nothing to do."),
    EDGE_PATH_MALFORMED(
            "edge.path_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "The path has an invalid percent-encoding, a backslash or another character that must be encoded, or encodes a control character or bytes that are not UTF-8. The record says which, and where in the request target, counted from 0.",
            "Look at the client."),
    EDGE_PATH_AMBIGUOUS(
            "edge.path_ambiguous",
            400,
            PublicCode.BAD_REQUEST,
            "The path means different things to different readers: an encoded slash, backslash, NUL or dot segment, a plain dot segment, an empty segment, a double encoding, path parameters, or a character that Unicode compatibility folds into one of these.",
            "Treat as an attack unless the API really uses such names; the route then says paths.encoded-slash: pass or paths.parameters: pass, or the names change."),
    EDGE_QUERY_MALFORMED(
            "edge.query_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "The query has a character that must be encoded, and that no browser leaves as it is. The record says which, and where in the request target, counted from 0.",
            "Look at the client."),
    EDGE_HEADER_NAME_REFUSED(
            "edge.header_name_refused",
            400,
            PublicCode.BAD_REQUEST,
            "A header name contains an underscore or a character that other readers fold into another name.",
            "Rename the header; many application servers cannot tell X_A from X-A."),
    EDGE_HEADER_VALUE_REFUSED(
            "edge.header_value_refused",
            400,
            PublicCode.BAD_REQUEST,
            "A header value contains a control character.",
            "Look at the client."),
    EDGE_CONNECTION_NOMINATION(
            "edge.connection_nomination",
            400,
            PublicCode.BAD_REQUEST,
            "Connection nominates a header that carries identity, credentials or routing, so that a proxy would drop it; or what is no name.",
            "Treat as an attack."),
    EDGE_CREDENTIAL_IN_QUERY(
            "edge.credential_in_query",
            400,
            PublicCode.BAD_REQUEST,
            "The query carries access_token (RFC 6750 section 5.3 advises against it; URLs are logged).",
            "Send the token in Authorization."),
    EDGE_FORWARDED_MALFORMED(
            "edge.forwarded_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "A trusted proxy sent an X-Forwarded-For that is not a list of addresses.",
            "Mend the proxy's configuration."),

    // flood
    FLOOD_AUTHENTICATION_FAILURES(
            "flood.authentication_failures",
            429,
            PublicCode.RATE_LIMITED,
            "This address failed to authenticate too often within the last minute.",
            "Look for a client with a stale credential, or an attack; the limit is stages.flood.failures-per-minute."),
    FLOOD_CONNECTIONS(
            "flood.connections",
            429,
            PublicCode.RATE_LIMITED,
            "This address holds too many connections at once.",
            "Raise stages.flood.connections-per-address if many users share the address."),

    // authenticate
    AUTHENTICATE_JWT_MISSING(
            "authenticate.jwt_missing",
            401,
            PublicCode.UNAUTHENTICATED,
            "There is no bearer credential.",
            "The client must send one; a scanner never will."),
    AUTHENTICATE_JWT_MALFORMED(
            "authenticate.jwt_malformed",
            401,
            PublicCode.UNAUTHENTICATED,
            "The credential is not a compact JWS of canonical base64url under a JSON header with unique members, or it is a token in a token (cty JWT).",
            "The record says what is wrong (sallyport.detail). Look at the client: a cut token, an opaque one, or the word undefined."),
    AUTHENTICATE_JWT_ENCRYPTED(
            "authenticate.jwt_encrypted",
            401,
            PublicCode.UNAUTHENTICATED,
            "The credential is an encrypted token (JWE, RFC 7516), which the gateway cannot read.",
            "Have the issuer sign access tokens for this API without encrypting them, or ask it about them (issuers.<name>.introspection)."),
    AUTHENTICATE_JWT_TOO_LONG(
            "authenticate.jwt_too_long",
            401,
            PublicCode.UNAUTHENTICATED,
            "The credential is longer than stages.authenticate.max-token-size.",
            "Raise the limit if the issuer really makes such tokens; groups are the usual cause. listener.max-headers must have room for it."),
    AUTHENTICATE_JWT_CLAIMS_MALFORMED(
            "authenticate.jwt_claims_malformed",
            401,
            PublicCode.UNAUTHENTICATED,
            "The credential is a JWS, but what it signs is not a JSON object with unique members that can be read in one way.",
            "Look at the issuer; a token of another kind, or an attack."),
    AUTHENTICATE_JWT_AMBIGUOUS(
            "authenticate.jwt_ambiguous",
            400,
            PublicCode.BAD_REQUEST,
            "There is more than one credential.",
            "The client must send exactly one Authorization field."),
    AUTHENTICATE_JWT_HEADER_DENIED(
            "authenticate.jwt_header_denied",
            401,
            PublicCode.UNAUTHENTICATED,
            "The JOSE header carries crit, b64, zip, jku, x5u, x5c or jwk, which are never honoured.",
            "Treat as an attack unless the issuer adds it; then configure the issuer."),
    AUTHENTICATE_JWT_ALG_DENIED(
            "authenticate.jwt_alg_denied",
            401,
            PublicCode.UNAUTHENTICATED,
            "The algorithm is not on the issuer's list.",
            "Add it to issuers.<name>.algorithms if the issuer really signs with it."),
    AUTHENTICATE_JWT_TYP_DENIED(
            "authenticate.jwt_typ_denied",
            401,
            PublicCode.UNAUTHENTICATED,
            "The typ is not on the issuer's list, or the token looks like an ID token where types has absent or the issuer has clients.",
            "Use an access token, or add the typ to issuers.<name>.types, where absent stands for none. The record has the typ that came, or the claim that tells an ID token."),
    AUTHENTICATE_JWT_KID_UNKNOWN(
            "authenticate.jwt_kid_unknown",
            401,
            PublicCode.UNAUTHENTICATED,
            "No key of this issuer matches the token's kid and algorithm, also after one refresh of the key set.",
            "A withdrawn key, another environment's token, or an attack."),
    AUTHENTICATE_JWT_SIGNATURE_INVALID(
            "authenticate.jwt_signature_invalid",
            401,
            PublicCode.UNAUTHENTICATED,
            "The signature does not verify.",
            "Treat as an attack; the token was changed or signed by somebody else."),
    AUTHENTICATE_JWT_ISS_UNKNOWN(
            "authenticate.jwt_iss_unknown",
            401,
            PublicCode.UNAUTHENTICATED,
            "The iss is not exactly that of an issuer that this route accepts.",
            "Compare the iss in the record (sallyport.detail) with issuers.<name>.issuer, slash at the end included; or add the issuer to the route."),
    AUTHENTICATE_JWT_AUD_MISMATCH(
            "authenticate.jwt_aud_mismatch",
            401,
            PublicCode.UNAUTHENTICATED,
            "The aud names none of the audiences that this route accepts.",
            "The client must ask for a token for this API. The record has the aud that came (sallyport.detail)."),
    AUTHENTICATE_JWT_CLIENT_DENIED(
            "authenticate.jwt_client_denied",
            401,
            PublicCode.UNAUTHENTICATED,
            "The token has no aud, and its client is none of issuers.<name>.clients.",
            "Compare the client in the record (sallyport.detail) with the list."),
    AUTHENTICATE_JWT_EXP_MISSING(
            "authenticate.jwt_exp_missing",
            401,
            PublicCode.UNAUTHENTICATED,
            "The token has no exp.",
            "Configure the issuer."),
    AUTHENTICATE_JWT_EXPIRED(
            "authenticate.jwt_expired",
            401,
            PublicCode.UNAUTHENTICATED,
            "The token is past its exp plus the clock skew.",
            "The client must refresh it."),
    AUTHENTICATE_JWT_NOT_YET_VALID(
            "authenticate.jwt_not_yet_valid",
            401,
            PublicCode.UNAUTHENTICATED,
            "The nbf or iat is in the future by more than the clock skew.",
            "Compare the clocks of issuer and gateway."),
    AUTHENTICATE_JWT_TOO_OLD(
            "authenticate.jwt_too_old",
            401,
            PublicCode.UNAUTHENTICATED,
            "The token was issued longer ago than max-token-age.",
            "The client must refresh it."),
    AUTHENTICATE_JWT_LIFETIME_EXCEEDED(
            "authenticate.jwt_lifetime_exceeded",
            401,
            PublicCode.UNAUTHENTICATED,
            "The span from iat to exp is longer than max-token-lifetime.",
            "Shorten the issuer's access tokens, or raise the limit."),
    AUTHENTICATE_JWT_CLAIM_MISSING(
            "authenticate.jwt_claim_missing",
            401,
            PublicCode.UNAUTHENTICATED,
            "A claim that the profile requires is absent or of the wrong type, or one that tells callers apart (jti, sid, the client) is not a string.",
            "The record names the claim (sallyport.detail): configure the issuer."),
    AUTHENTICATE_BINDING_UNSUPPORTED(
            "authenticate.binding_unsupported",
            401,
            PublicCode.UNAUTHENTICATED,
            "The token is bound to a key (cnf), and this gateway cannot prove the binding.",
            "Use a bearer token on this route."),
    AUTHENTICATE_TOKEN_INACTIVE(
            "authenticate.token_inactive",
            401,
            PublicCode.UNAUTHENTICATED,
            "The issuer says that the opaque token is not active: expired, revoked, another client's, or never issued.",
            "Expected after a revocation; in numbers, somebody is guessing tokens."),
    AUTHENTICATE_INTROSPECTION_UNAVAILABLE(
            "authenticate.introspection_unavailable",
            503,
            PublicCode.UNAVAILABLE,
            "The issuer could not be asked about an opaque token: no answer in time, one that is none, or too many questions under way.",
            "Look at the issuer and at sallyport_introspections_total; its 401 means that the gateway's own secret is wrong."),
    AUTHENTICATE_CERTIFICATE_MISSING(
            "authenticate.certificate_missing",
            401,
            PublicCode.UNAUTHENTICATED,
            "The route accepts workloads by their X509-SVID alone, and the connection showed no certificate.",
            "The caller must present its SVID; a proxy in front that ends TLS keeps it from doing so."),
    AUTHENTICATE_CERTIFICATE_EXPIRED(
            "authenticate.certificate_expired",
            401,
            PublicCode.UNAUTHENTICATED,
            "The client's X509-SVID, or an authority above it, has expired since the connection was made.",
            "The caller must connect again after its SVID was renewed: look at its Workload API client."),
    AUTHENTICATE_CERTIFICATE_UNTRUSTED(
            "authenticate.certificate_untrusted",
            401,
            PublicCode.UNAUTHENTICATED,
            "The client's certificate is no X509-SVID by the trust bundles of this moment: its authority was removed since the connection was made.",
            "Expected after an authority was withdrawn; the cause is in the record (error.message)."),
    AUTHENTICATE_CERTIFICATE_ID_DENIED(
            "authenticate.certificate_id_denied",
            401,
            PublicCode.UNAUTHENTICATED,
            "The client proved a SPIFFE ID that is none of the route's client-spiffe-ids.",
            "Compare the ID in the record (sallyport.detail) with the route's list."),
    AUTHENTICATE_BUNDLE_UNAVAILABLE(
            "authenticate.bundle_unavailable",
            503,
            PublicCode.UNAVAILABLE,
            "There is no trust bundle to judge the client's certificate by.",
            "Look at the Workload API, or at the files of identity; the gateway is not ready either."),
    AUTHENTICATE_JWKS_UNAVAILABLE(
            "authenticate.jwks_unavailable",
            503,
            PublicCode.UNAVAILABLE,
            "No key set of the issuer could be had, so no token of its can be verified.",
            "Look at the issuer's JWKS endpoint and at sallyport_jwks_*."),

    // revocation
    REVOCATION_TOKEN_REVOKED(
            "revocation.token_revoked",
            401,
            PublicCode.UNAUTHENTICATED,
            "The token's jti is on the deny-list.",
            "The client must sign in again."),
    REVOCATION_SESSION_REVOKED(
            "revocation.session_revoked",
            401,
            PublicCode.UNAUTHENTICATED,
            "The session (sid) is on the deny-list.",
            "The user must sign in again."),
    REVOCATION_SUBJECT_REVOKED(
            "revocation.subject_revoked",
            401,
            PublicCode.UNAUTHENTICATED,
            "The subject's tokens issued up to a point in time are denied, and this one was.",
            "The user must sign in again."),
    REVOCATION_CLIENT_REVOKED(
            "revocation.client_revoked",
            401,
            PublicCode.UNAUTHENTICATED,
            "The client's tokens issued up to a point in time are denied, and this one was.",
            "Look at who listed the client, and why; the record has the entry's reason."),
    REVOCATION_UNAVAILABLE(
            "revocation.unavailable",
            503,
            PublicCode.UNAVAILABLE,
            "The deny-list could not be read back when the gateway started.",
            "Look at the journal named by stages.revocation.journal."),

    // ratelimit
    RATELIMIT_EXCEEDED(
            "ratelimit.exceeded",
            429,
            PublicCode.RATE_LIMITED,
            "A rate-limit policy of the route has too few units left for this key.",
            "Raise the limit if the caller is genuine; the record names the policies."),
    RATELIMIT_KEY_MISSING(
            "ratelimit.key_missing",
            403,
            PublicCode.FORBIDDEN,
            "A limit of the route counts by a claim that the caller's token does not have, or that is an object.",
            "Have the issuer put the claim into its tokens, or write if-absent: address. The record names the limit and the claim."),
    RATELIMIT_UNAVAILABLE(
            "ratelimit.unavailable",
            503,
            PublicCode.UNAVAILABLE,
            "The bucket for this key could not be read.",
            "Look at the cause in the record."),

    // risk
    RISK_STEP_UP_REQUIRED(
            "risk.step_up_required",
            401,
            PublicCode.STEP_UP_REQUIRED,
            "The risk score, or the route's own demand, asks for a stronger or fresher authentication than the token carries (RFC 9470).",
            "The client must authenticate the user again as the challenge says."),
    RISK_READ_ONLY(
            "risk.read_only",
            403,
            PublicCode.FORBIDDEN,
            "The risk score allows only GET, HEAD and OPTIONS.",
            "Look at the record's risk reasons."),
    RISK_DENIED(
            "risk.denied",
            403,
            PublicCode.FORBIDDEN,
            "The risk score is at or above the route's limit.",
            "Look at the record's risk reasons."),
    RISK_UNAVAILABLE(
            "risk.unavailable",
            503,
            PublicCode.UNAVAILABLE,
            "The risk score could not be computed.",
            "Look at the cause in the record."),

    // authorize
    AUTHORIZE_NO_RULE_ALLOWED(
            "authorize.no_rule_allowed",
            403,
            PublicCode.FORBIDDEN,
            "No allow rule of the route matched.",
            "The record names the rules that were tried."),
    AUTHORIZE_DENY_RULE(
            "authorize.deny_rule",
            403,
            PublicCode.FORBIDDEN,
            "A deny rule of the route matched, or could not be evaluated.",
            "The record names the rule."),
    AUTHORIZE_SCOPE_INSUFFICIENT(
            "authorize.scope_insufficient",
            403,
            PublicCode.FORBIDDEN,
            "The token lacks a scope that the route requires (RFC 6750 section 3.1).",
            "The client must ask for the scope."),
    AUTHORIZE_ROUTE_UNMATCHED(
            "authorize.route_unmatched",
            404,
            PublicCode.NOT_FOUND,
            "The host is known, but no route of it has this path.",
            "Add a route, or look at what the client asks for."),
    AUTHORIZE_METHOD_NOT_ALLOWED(
            "authorize.method_not_allowed",
            405,
            PublicCode.METHOD_NOT_ALLOWED,
            "A route has this path, but not with this method.",
            "Add the method to the route's match.methods."),
    AUTHORIZE_PDP_UNAVAILABLE(
            "authorize.pdp_unavailable",
            503,
            PublicCode.UNAVAILABLE,
            "The policy decision point of the route did not decide: it failed, or was too late.",
            "Look at the cause in the record, and whether the decision point can be reached."),

    // route
    ROUTE_CIRCUIT_OPEN(
            "route.circuit_open",
            503,
            PublicCode.UNAVAILABLE,
            "The upstream failed too often of late; its circuit breaker is open.",
            "Look at the upstream; the breaker tries it again by itself."),
    ROUTE_SATURATED(
            "route.saturated",
            503,
            PublicCode.UNAVAILABLE,
            "As many requests as the upstream may have are under way.",
            "Raise upstream.max-concurrent, or add capacity."),

    // forward
    FORWARD_PERMIT_MISSING(
            "forward.permit_missing",
            404,
            PublicCode.NOT_FOUND,
            "A request reached the forwarding part without a permit of the pipeline.",
            "Report it: it cannot happen through the ingress port."),
    FORWARD_TARGET_CHANGED(
            "forward.target_changed",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "A filter of the route changed scheme, host or port of the permitted upstream. Nothing was sent.",
            "Remove that filter."),
    FORWARD_PREFLIGHT_REFUSED(
            "forward.preflight_refused",
            403,
            PublicCode.FORBIDDEN,
            "A CORS preflight asks for an origin, method or header that the route's cors section does not list, or is none.",
            "Add what it asks for to the route's cors section if the page is yours."),
    FORWARD_REWRITE_REFUSED(
            "forward.rewrite_refused",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "A filter of the route made a path that can be read in more than one way, or a header value that cannot be sent as it is. Nothing was sent.",
            "Mend that filter; the record says which of the two it was."),
    FORWARD_FAILED(
            "forward.failed",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "Forwarding failed inside the gateway.",
            "The record and the log name the cause."),
    FORWARD_SVID_MISSING(
            "forward.svid_missing",
            503,
            PublicCode.UNAVAILABLE,
            "The gateway has no X509-SVID of its own that it can use.",
            "Look at the Workload API and at the gateway's registration entry."),
    FORWARD_SVID_EXPIRED(
            "forward.svid_expired",
            503,
            PublicCode.UNAVAILABLE,
            "The gateway's own X509-SVID has expired and was not renewed.",
            "Look at the Workload API; the last update is in sallyport_svid_*."),
    FORWARD_IDENTITY_MISMATCH(
            "forward.identity_mismatch",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The upstream proved a SPIFFE ID that the route does not expect. Not one byte of the request was sent.",
            "Compare expected and actual ID in the record: a wrong address, a wrong registration, or an impostor."),
    FORWARD_PEER_UNTRUSTED(
            "forward.peer_untrusted",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The upstream's certificate is no valid X509-SVID under the bundle of its own trust domain; or, with upstream.tls, none that an authority of ca vouches for, none of a server, or of another key than spki. Not one byte of the request was sent.",
            "Look at the upstream's certificate and at the trust bundles, or at upstream.tls."),
    FORWARD_TLS_FAILED(
            "forward.tls_failed",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The TLS handshake with the upstream failed for another reason than its identity.",
            "Look at the upstream's TLS settings; it may not trust this gateway's SVID."),
    FORWARD_CONNECT_FAILED(
            "forward.connect_failed",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "No connection to the upstream could be made.",
            "Is it up, and does its name resolve?"),
    FORWARD_UPSTREAM_RESET(
            "forward.upstream_reset",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The upstream closed the connection before its answer was complete.",
            "Look at the upstream's log."),
    FORWARD_LOOP(
            "forward.loop",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The request has come through this gateway before, as its Via field says.",
            "An upstream sends requests back: look at the route's upstream.uri and at what stands between."),
    FORWARD_UPSTREAM_PROTOCOL_ERROR(
            "forward.upstream_protocol_error",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The upstream's answer was not a valid HTTP message.",
            "Look at the upstream; the pooled connection was closed."),
    FORWARD_CONNECT_TIMEOUT(
            "forward.connect_timeout",
            504,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The upstream did not accept a connection, or finish the TLS handshake, in time.",
            "Is it overloaded, or is a network policy in the way?"),
    FORWARD_RESPONSE_TIMEOUT(
            "forward.response_timeout",
            504,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The upstream did not answer within upstream.timeout.",
            "Look at the upstream, or raise the time-out."),
    FORWARD_STREAM_OVER(
            "forward.stream_over",
            504,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The exchange was still going on when the caller's token or SVID expired, or after upstream.max-stream.",
            "The client has to come again with a new token; for an anonymous caller raise upstream.max-stream."),
    FORWARD_WEBSOCKET_MALFORMED(
            "forward.websocket_malformed",
            400,
            PublicCode.BAD_REQUEST,
            "The request to become a WebSocket is not as RFC 6455 section 4.1 wants it, or the client sent more before it was answered. Nothing more was read of the connection.",
            "Look at the client; no browser does either."),
    FORWARD_WEBSOCKET_VERSION(
            "forward.websocket_version",
            426,
            PublicCode.BAD_REQUEST,
            "The client asks for a WebSocket of another version than 13.",
            "Look at the client; there has been no other version since 2011."),
    FORWARD_WEBSOCKET_ORIGIN(
            "forward.websocket_origin",
            403,
            PublicCode.FORBIDDEN,
            "A page of an origin that the route does not list, or of none, asks for a WebSocket. Nothing was sent to the upstream.",
            "Add the origin to the route's websocket.origins if the page is yours; else it was cross-site WebSocket hijacking."),
    FORWARD_WEBSOCKET_FRAME(
            "forward.websocket_frame",
            400,
            PublicCode.BAD_REQUEST,
            "On an open WebSocket the client sent what RFC 6455 section 5 does not allow, or a frame longer than websocket.max-frame. It was closed with 1002, 1007 or 1009; the upstream's connection was broken off.",
            "Raise max-frame if it was the length; else look at the client, or treat as an attack. The record says which."),

    // pipeline
    PIPELINE_STAGE_FAILED(
            "pipeline.stage_failed",
            503,
            PublicCode.UNAVAILABLE,
            "A stage threw, or did not answer what it had been asked; in every mode that denies.",
            "Report it with the record's evidence."),
    PIPELINE_NOT_READY(
            "pipeline.not_ready",
            503,
            PublicCode.UNAVAILABLE,
            "The gateway has no configuration to decide by yet, or is shutting down.",
            "Wait for readiness before sending traffic."),
    PIPELINE_OVERLOADED(
            "pipeline.overloaded",
            503,
            PublicCode.UNAVAILABLE,
            "The gateway was too busy, or its memory too full, to take this request; see listener.shedding.",
            "Add replicas or CPU. sallyport_event_loop_lag_seconds says how late it was; where that is low, it was memory."),
    FORWARD_GATEWAY_STOPPED(
            "forward.gateway_stopped",
            503,
            PublicCode.UNAVAILABLE,
            "The gateway stopped while this request was under way. A stream ended as its protocol defines; anything else had listener.shutdown-grace to end in.",
            "Nothing: clients of streams connect again. If other answers were cut, raise listener.shutdown-grace."),
    FORWARD_NAME_MISMATCH(
            "forward.name_mismatch",
            502,
            PublicCode.UPSTREAM_UNAVAILABLE,
            "The upstream's certificate is valid under upstream.tls.ca, but has not the DNS name of upstream.tls.server-name. Not one byte of the request was sent.",
            "Compare the names in the record (sallyport.detail): a wrong address, a wrong server-name, or an impostor."),
    FORWARD_IDENTITY_TOO_LARGE(
            "forward.identity_too_large",
            403,
            PublicCode.FORBIDDEN,
            "A header of upstream.identity would be longer than 4 KB for this caller. Nothing was sent to the upstream.",
            "Send less of the claim, for example only the groups that the upstream needs; the record names the header and its length."),
    FORWARD_IDENTITY_UNDETERMINED(
            "forward.identity_undetermined",
            403,
            PublicCode.FORBIDDEN,
            "An expression of upstream.identity could not be evaluated for this caller, or its value cannot be written in a header. Nothing was sent to the upstream.",
            "The record names the header and what was wrong: often a claim of an unexpected type."),
    EDGE_TXN_TOKEN_FROM_OUTSIDE(
            "edge.txn_token_from_outside",
            400,
            PublicCode.BAD_REQUEST,
            "The request has a Txn-Token. Transaction tokens are made by this gateway, and stay inside the trust domain.",
            "A client that sends one has got it from inside: find out how it leaked, or treat as an attack.");

    private final String code;
    private final int status;
    private final PublicCode publicCode;
    private final String meaning;
    private final String remedy;

    Reason(String code, int status, PublicCode publicCode, String meaning, String remedy) {
        this.code = code;
        this.status = status;
        this.publicCode = publicCode;
        this.meaning = meaning;
        this.remedy = remedy;
    }

    /** For example {@code authenticate.jwt_expired}. */
    public String code() {
        return code;
    }

    /** The part before the dot: the stage, or {@code forward} or {@code pipeline}, that refuses with it. */
    public String origin() {
        return code.substring(0, code.indexOf('.'));
    }

    /** The status that the client sees, 400 to 504. */
    public int status() {
        return status;
    }

    public PublicCode publicCode() {
        return publicCode;
    }

    /** One sentence: what was wrong. */
    public String meaning() {
        return meaning;
    }

    /** One sentence: what an operator does about it. */
    public String remedy() {
        return remedy;
    }
}
