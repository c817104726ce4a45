// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.compile.Configuration;
import io.sallyport.compile.ConfigurationFile;
import io.sallyport.compile.GatewayFile;
import io.sallyport.compile.InvalidConfiguration;
import io.sallyport.config.Findings;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.InstantSource;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.Ordered;
import org.springframework.core.env.MapPropertySource;

/**
 * Reads the configuration file before any bean exists, because the file says on which ports Spring Boot is to listen. What the
 * file decides, and what must not be decided otherwise, becomes the property source that wins over all others.
 *
 * <p>Registered in {@code spring.factories}, so that every Spring Boot application with this library on its class path is a
 * gateway.
 */
public final class SallyportInitializer
        implements ApplicationContextInitializer<ConfigurableApplicationContext>, Ordered {
    private static final String NAME = "sallyport";

    /**
     * Fixes the application's properties by the file that {@code sallyport.config} names.
     *
     * @throws InvalidConfiguration if there is no such file, if it is wrong, or if something else tries to set what it says
     */
    @Override
    public void initialize(ConfigurableApplicationContext context) {
        try {
            fix(context);
        } catch (InvalidConfiguration e) {
            throw new RefusedStart(e);
        }
    }

    private static void fix(ConfigurableApplicationContext context) {
        var environment = context.getEnvironment();
        var findings = new Findings();
        FileOnlySettings.check(environment, GatewayFile.SECTIONS, findings);
        var name = environment.getProperty(FileOnlySettings.FILE);
        if (name == null || name.isBlank()) {
            findings.at(FileOnlySettings.FILE).reject(null, "the path of the gateway's configuration file");
        }
        if (name == null || !findings.isEmpty()) {
            throw new InvalidConfiguration(null, findings.all());
        }
        var source = new ConfigurationFile(path(name), InstantSource.system());
        var configuration = Configuration.loadForStart(source);
        var properties = FixedProperties.of(configuration.settings(), environment.getProperty(FixedProperties.EXCLUDE));
        environment.getPropertySources().addFirst(new MapPropertySource(NAME, properties));
        context.getBeanFactory().registerSingleton("sallyportConfigurationSource", source);
        context.getBeanFactory().registerSingleton("sallyportConfiguration", configuration);
    }

    private static Path path(String name) {
        try {
            return Path.of(name).toAbsolutePath();
        } catch (InvalidPathException e) {
            var findings = new Findings();
            findings.at(FileOnlySettings.FILE).reject(name, "a path");
            throw new InvalidConfiguration(null, findings.all());
        }
    }

    /** Last: whatever sets properties has done so by then. */
    @Override
    public int getOrder() {
        return Ordered.LOWEST_PRECEDENCE;
    }
}
