// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class SettingsSchemaTest {
    enum Shape {
        ROUND,
        NEARLY_SQUARE
    }

    record Lid(@Setting("Whether it closes by itself.") boolean selfClosing) {
        public static Lid parse(String text) {
            return new Lid(text.equals("heavy"));
        }
    }

    record Pot(
            @Setting("Its shape.") Shape shape,

            @Setting(value = "How long it cooks.", byDefault = "20m")
            Duration cookingTime,

            @Setting(value = "What goes in, in order.", byDefault = "[]")
            List<String> ingredients,

            @Setting("Its lid.") @Nullable Lid lid) {}

    record Kitchen(
            @Setting("The pots.") Map<String, Pot> pots,

            @Setting(value = "How many cook.", byDefault = "2")
            int cooks) {}

    @Test
    void an_editor_gets_names_types_words_defaults_and_descriptions() {
        assertThat(SettingsSchema.of(Kitchen.class, "A kitchen")).isEqualTo("""
                {
                  "$schema" : "https://json-schema.org/draft/2020-12/schema",
                  "$defs" : {
                    "Lid" : {
                      "type" : "object",
                      "properties" : {
                        "self-closing" : {
                          "type" : "boolean",
                          "description" : "Whether it closes by itself."
                        }
                      },
                      "required" : [ "self-closing" ],
                      "additionalProperties" : false
                    },
                    "Map(String,Pot)" : {
                      "type" : "object",
                      "additionalProperties" : {
                        "$ref" : "#/$defs/Pot"
                      }
                    },
                    "Pot" : {
                      "type" : "object",
                      "properties" : {
                        "shape" : {
                          "type" : "string",
                          "enum" : [ "round", "nearly-square" ],
                          "description" : "Its shape."
                        },
                        "cooking-time" : {
                          "type" : "string",
                          "pattern" : "^(?:([0-9]{1,9})(ms|s|m|h|d))$",
                          "description" : "How long it cooks.",
                          "default" : "20m"
                        },
                        "ingredients" : {
                          "description" : "What goes in, in order.",
                          "default" : [ ],
                          "type" : "array",
                          "items" : {
                            "type" : "string"
                          }
                        },
                        "lid" : {
                          "anyOf" : [ {
                            "type" : "string"
                          }, {
                            "$ref" : "#/$defs/Lid"
                          } ],
                          "description" : "Its lid."
                        }
                      },
                      "required" : [ "shape" ],
                      "additionalProperties" : false
                    }
                  },
                  "type" : "object",
                  "properties" : {
                    "pots" : {
                      "$ref" : "#/$defs/Map(String,Pot)",
                      "description" : "The pots."
                    },
                    "cooks" : {
                      "type" : "integer",
                      "description" : "How many cook.",
                      "default" : 2
                    }
                  },
                  "required" : [ "pots" ],
                  "additionalProperties" : false,
                  "title" : "A kitchen"
                }
                """);
    }

    @Test
    void the_reference_has_a_table_for_each_section() {
        assertThat(SettingsReference.of(Kitchen.class)).isEqualTo("""
                | key | value | default | |
                |---|---|---|---|
                | `pots` | by name: section | **required** | The pots. |
                | `cooks` | int | `2` | How many cook. |

                ## `pots.<name>`

                | key | value | default | |
                |---|---|---|---|
                | `shape` | `round`, `nearly-square` | **required** | Its shape. |
                | `cooking-time` | duration | `20m` | How long it cooks. |
                | `ingredients` | list of text | `[]` | What goes in, in order. |
                | `lid` | a word, or a section | none | Its lid. |

                ## `pots.<name>.lid`

                | key | value | default | |
                |---|---|---|---|
                | `self-closing` | boolean | **required** | Whether it closes by itself. |

                """);
    }
}
