// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import org.springframework.aot.AotDetector;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.core.SpringProperties;
import org.springframework.util.ClassUtils;

/**
 * The gateway as a Spring Boot application. All that there is comes from the auto-configuration of {@code filters}: any Spring Boot
 * application can be the gateway. This one need not find out at each start of which beans it consists: the build asks {@link #main}, and
 * has what it learns compiled (Spring's ahead-of-time processing).
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
final class GatewayApplication {
    private GatewayApplication() {}

    /** From the beans that the build has prepared; from the auto-configuration itself where it has not, as in an IDE. */
    static SpringApplication prepared() {
        if (isPrepared()) {
            SpringProperties.setFlag(AotDetector.AOT_ENABLED);
        }
        return create();
    }

    static boolean isPrepared() {
        return ClassUtils.isPresent(
                GatewayApplication.class.getName() + "__ApplicationContextInitializer",
                GatewayApplication.class.getClassLoader());
    }

    private static SpringApplication create() {
        var application = new SpringApplication(GatewayApplication.class);
        // By its name what was prepared is found; the class that the process began with is the command line.
        application.setMainApplicationClass(GatewayApplication.class);
        return application;
    }

    /** For the build alone, which ends it before the first bean is made. */
    public static void main(String[] arguments) {
        create().run(arguments);
    }
}
