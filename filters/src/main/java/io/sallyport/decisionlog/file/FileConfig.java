// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog.file;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.nio.file.Path;
import org.springframework.util.unit.DataSize;

/**
 * The {@code decision-log.file} section: where records are kept until a shipper has read them. Never more than {@code max-size}
 * times {@code max-files} on disk.
 */
public record FileConfig(
        @Setting("The file that is written; rotated ones lie beside it, named by the time of their rotation.")
        Path path,

        @Setting(value = "When the file would grow beyond this it is rotated: 1MB to 1GB.", byDefault = "64MB")
        DataSize maxSize,

        @Setting(
                value = "How many files are kept, the written one included; the oldest is deleted. 2 to 1000.",
                byDefault = "8")
        int maxFiles) {
    private static final DataSize SMALLEST = DataSize.ofMegabytes(1);
    private static final DataSize LARGEST = DataSize.ofGigabytes(1);

    public FileConfig {
        if (maxSize.compareTo(SMALLEST) < 0 || maxSize.compareTo(LARGEST) > 0) {
            throw new InvalidSetting("max-size", maxSize, "1MB to 1GB");
        }
        if (maxFiles < 2 || maxFiles > 1_000) {
            throw new InvalidSetting("max-files", maxFiles, "2 to 1000");
        }
    }
}
