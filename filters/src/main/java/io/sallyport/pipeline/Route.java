// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.decision.ProtectedResource;
import io.sallyport.identity.IdentityHeaders;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One route of the configuration on one of its hosts, compiled. What each stage and {@code forward} need to know of it
 * hangs under their {@link StageName}, in a type that only they know.
 */
public final class Route {
    /** Who answers a request that was permitted on this route. */
    public enum Kind {
        /** An upstream workload. */
        UPSTREAM,
        /** The gateway itself: CORS preflight, protected-resource metadata. */
        LOCAL,
        /** Nobody: the host is known, path or method are not. {@code authorize} answers 404 or 405. */
        UNMATCHED
    }

    private final String name;
    private final String host;
    private final Kind kind;
    private final boolean isPublic;
    private final @Nullable IdentityHeaders removedHeaders;
    private final Map<StageName, Mode> modes;
    private final Map<StageName, FaultPolicy> onUndecided;
    private final Map<StageName, Object> settings;
    private final @Nullable ProtectedResource resource;

    private Route(Builder builder) {
        this.name = builder.name;
        this.host = builder.host;
        this.kind = builder.kind;
        this.isPublic = builder.isPublic;
        this.removedHeaders = builder.removedHeaders;
        this.modes = Snapshot.enumMap(builder.modes);
        this.onUndecided = Snapshot.enumMap(builder.onUndecided);
        this.settings = Snapshot.enumMap(builder.settings);
        this.resource = builder.resource;
    }

    public static Builder builder(String name, String host, Kind kind) {
        return new Builder(name, host, kind);
    }

    /** As the operator named it; built-in routes begin with {@code sallyport:}. */
    public String name() {
        return name;
    }

    /** The host that it was compiled for, in lower case, without port. */
    public String host() {
        return host;
    }

    public Kind kind() {
        return kind;
    }

    /** Whether the operator wrote {@code public}: credentials are stripped unread, and the principal is anonymous. */
    public boolean isPublic() {
        return isPublic;
    }

    /** The headers that no client may send here, or null for those of the gateway. */
    public @Nullable IdentityHeaders removedHeaders() {
        return removedHeaders;
    }

    /** What challenges say of it; null where nobody is challenged. */
    public @Nullable ProtectedResource resource() {
        return resource;
    }

    public Mode mode(StageName stage) {
        return modes.getOrDefault(stage, Mode.ENFORCE);
    }

    public FaultPolicy onUndecided(StageName stage) {
        return onUndecided.getOrDefault(stage, FaultPolicy.DENY);
    }

    /** What that stage compiled for this route, or null if the route has no such section. */
    public <T> @Nullable T settings(StageName stage, Class<T> type) {
        return type.cast(settings.get(stage));
    }

    /**
     * What that stage compiled for this route.
     *
     * @throws IllegalStateException if it compiled nothing; the pipeline turns that into a denial
     */
    public <T> T requireSettings(StageName stage, Class<T> type) {
        var value = settings(stage, type);
        if (value == null) {
            throw new IllegalStateException("route %s has no settings for stage %s".formatted(name, stage.code()));
        }
        return value;
    }

    @Override
    public String toString() {
        return name + "@" + host;
    }

    /** Collects a route; modes default to enforce and fault policies to deny. */
    public static final class Builder {
        private final String name;
        private final String host;
        private final Kind kind;
        private boolean isPublic;
        private @Nullable IdentityHeaders removedHeaders;
        private @Nullable ProtectedResource resource;
        private final Map<StageName, Mode> modes = new EnumMap<>(StageName.class);
        private final Map<StageName, FaultPolicy> onUndecided = new EnumMap<>(StageName.class);
        private final Map<StageName, Object> settings = new EnumMap<>(StageName.class);

        private Builder(String name, String host, Kind kind) {
            this.name = name;
            this.host = host;
            this.kind = kind;
        }

        public Builder makePublic() {
            this.isPublic = true;
            return this;
        }

        /** Has other headers removed from requests than the gateway removes anywhere. */
        public Builder removing(IdentityHeaders headers) {
            this.removedHeaders = headers;
            return this;
        }

        /** Says what challenges say of it. */
        public Builder resource(ProtectedResource resource) {
            this.resource = resource;
            return this;
        }

        /** Sets a mode; {@link IllegalArgumentException} if that stage does not know it. */
        public Builder mode(StageName stage, Mode mode) {
            if (!stage.knows(mode)) {
                throw new IllegalArgumentException("mode of stage %s: %s is not for it".formatted(stage.code(), mode));
            }
            modes.put(stage, mode);
            return this;
        }

        /** Sets a fault policy; {@link IllegalArgumentException} if that stage must always decide. */
        public Builder onUndecided(StageName stage, FaultPolicy policy) {
            if (!stage.mayBeUndecided()) {
                throw new IllegalArgumentException("on-undecided of stage %s: it must decide".formatted(stage.code()));
            }
            onUndecided.put(stage, policy);
            return this;
        }

        public Builder settings(StageName stage, Object compiled) {
            settings.put(stage, compiled);
            return this;
        }

        public Route build() {
            return new Route(this);
        }
    }
}
