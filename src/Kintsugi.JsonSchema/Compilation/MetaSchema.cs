using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>A schema of schemas for draft 2020-12, in one piece, so that a schema may refer to the dialect's own URI.</summary>
internal static class MetaSchema
{
    public const string Uri = "https://json-schema.org/draft/2020-12/schema";

    // Written from the keyword definitions of core 8-11 and validation 6-9.
    private const string Text = """
        {
          "$id": "https://json-schema.org/draft/2020-12/schema",
          "$dynamicAnchor": "meta",
          "type": ["object", "boolean"],
          "properties": {
            "$id": { "type": "string", "pattern": "^[^#]*#?$" }, "$schema": { "type": "string" },
            "$ref": { "type": "string" }, "$dynamicRef": { "type": "string" }, "$comment": { "type": "string" },
            "$anchor": { "$ref": "#/$defs/anchor" }, "$dynamicAnchor": { "$ref": "#/$defs/anchor" },
            "$vocabulary": { "type": "object", "additionalProperties": { "type": "boolean" } },
            "$defs": { "$ref": "#/$defs/map" }, "definitions": { "$ref": "#/$defs/map" },
            "allOf": { "$ref": "#/$defs/list" }, "anyOf": { "$ref": "#/$defs/list" }, "oneOf": { "$ref": "#/$defs/list" },
            "prefixItems": { "$ref": "#/$defs/list" },
            "not": { "$dynamicRef": "#meta" }, "if": { "$dynamicRef": "#meta" }, "then": { "$dynamicRef": "#meta" },
            "else": { "$dynamicRef": "#meta" }, "items": { "$dynamicRef": "#meta" }, "contains": { "$dynamicRef": "#meta" },
            "additionalProperties": { "$dynamicRef": "#meta" }, "propertyNames": { "$dynamicRef": "#meta" },
            "unevaluatedItems": { "$dynamicRef": "#meta" }, "unevaluatedProperties": { "$dynamicRef": "#meta" },
            "contentSchema": { "$dynamicRef": "#meta" },
            "properties": { "$ref": "#/$defs/map" }, "patternProperties": { "$ref": "#/$defs/map" },
            "dependentSchemas": { "$ref": "#/$defs/map" },
            "dependencies": {
              "type": "object", "additionalProperties": { "anyOf": [{ "$dynamicRef": "#meta" }, { "$ref": "#/$defs/names" }] }
            },
            "type": {
              "anyOf": [
                { "$ref": "#/$defs/kind" },
                { "type": "array", "items": { "$ref": "#/$defs/kind" }, "minItems": 1, "uniqueItems": true }
              ]
            },
            "enum": { "type": "array" }, "const": true,
            "multipleOf": { "type": "number", "exclusiveMinimum": 0 },
            "maximum": { "type": "number" }, "exclusiveMaximum": { "type": "number" },
            "minimum": { "type": "number" }, "exclusiveMinimum": { "type": "number" },
            "maxLength": { "$ref": "#/$defs/count" }, "minLength": { "$ref": "#/$defs/count" },
            "maxItems": { "$ref": "#/$defs/count" }, "minItems": { "$ref": "#/$defs/count" },
            "maxContains": { "$ref": "#/$defs/count" }, "minContains": { "$ref": "#/$defs/count" },
            "maxProperties": { "$ref": "#/$defs/count" }, "minProperties": { "$ref": "#/$defs/count" },
            "uniqueItems": { "type": "boolean" }, "pattern": { "type": "string" }, "format": { "type": "string" },
            "required": { "$ref": "#/$defs/names" },
            "dependentRequired": { "type": "object", "additionalProperties": { "$ref": "#/$defs/names" } },
            "title": { "type": "string" }, "description": { "type": "string" }, "examples": { "type": "array" },
            "deprecated": { "type": "boolean" }, "readOnly": { "type": "boolean" }, "writeOnly": { "type": "boolean" },
            "contentEncoding": { "type": "string" }, "contentMediaType": { "type": "string" }
          },
          "$defs": {
            "anchor": { "type": "string", "pattern": "^[A-Za-z_][-A-Za-z0-9._]*$" },
            "count": { "type": "integer", "minimum": 0 },
            "kind": { "enum": ["array", "boolean", "integer", "null", "number", "object", "string"] },
            "list": { "type": "array", "minItems": 1, "items": { "$dynamicRef": "#meta" } },
            "map": { "type": "object", "additionalProperties": { "$dynamicRef": "#meta" } },
            "names": { "type": "array", "items": { "type": "string" }, "uniqueItems": true }
          }
        }
        """;

    public static JsonElement Parse()
    {
        using var document = JsonDocument.Parse(Text);
        return document.RootElement.Clone();
    }
}
