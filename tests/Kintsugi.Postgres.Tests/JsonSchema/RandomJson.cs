using System.Text.Json.Nodes;

namespace Kintsugi.Postgres.Tests.JsonSchema;

/// <summary>Documents and schemas from one seed, out of a small pool, so that they often nearly fit each other.</summary>
internal sealed class RandomJson(int seed)
{
    private static readonly string[] _names = ["a", "b", "c", "we'ird\"\\name", "é🐲", "", "0"];

    private static readonly string[] _texts =
    [
        "", "a", "ab", "aaa", "2020-01-31", "7", "é", "🐲🐲", "x\ny", "a'b\\c", "A_9", "\u2028", "%", "null",
    ];

    private static readonly string[] _numbers =
    [
        "0", "1", "-1", "2", "3", "1.0", "1.5", "0.1", "1e2", "100", "-0", "1e-7", "9007199254740993", "9007199254740992",
        "123456789012345678901234567890.5", "3e30", "1e300",
    ];

    private static readonly string[] _patterns =
    [
        "^a", "b$", "^a*$", "^\\d{4}-\\d\\d-\\d\\d$", "^[^a-f]+$", "\\w", "^.{2}$", "^(a|é|🐲)*$", "\\s",
        "^\\p{L}+$", "'|\\\\",
        "^(?!a)", "^\\S*$", "[^\\W_]", "^$",
    ];

    private static readonly string[] _types = ["null", "boolean", "integer", "number", "string", "array", "object"];

#pragma warning disable CA5394 // Not for secrets: one seed repeats one run.
    private readonly Random _random = new(seed);

    public string Document() => Value(3);

    public string Schema() => "{\"$defs\":{\"d\":" + Schema(1) + "}," + Schema(3).TrimStart('{', ' ');

    private string Schema(int depth)
    {
        if (depth < 3 && Chance(12))
            return Chance(2) ? "true" : "false";
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var count = _random.Next(1, 4); count > 0; count--)
            Keyword(members, depth);
        members.TryAdd("title", "\"t\"");
        return "{" + string.Join(',', members.Select(member => $"{Quote(member.Key)}:{member.Value}")) + "}";
    }

    private void Keyword(Dictionary<string, string> members, int depth)
    {
        string Sub() => depth > 0 ? Schema(depth - 1) : "{\"type\":" + Quote(Pick(_types)) + "}";
        string Subs() => "[" + string.Join(',', Several(Sub)) + "]";
        string Map(string[] keys) => "{" + string.Join(',', Names(keys).Select(key => $"{Quote(key)}:{Sub()}")) + "}";
        string NameList() => "[" + string.Join(',', Names(_names).Select(Quote)) + "]";
        switch (_random.Next(34))
        {
            case 0 or 1: members["type"] = Quote(Pick(_types)); break;
            case 2: members["type"] = "[" + string.Join(',', Names(_types).Select(Quote)) + "]"; break;
            case 3: members["const"] = Value(1); break;
            case 4: members["enum"] = "[" + string.Join(',', Several(() => Value(1))) + "]"; break;
            case 5: members["minimum"] = Pick(_numbers); break;
            case 6: members["exclusiveMaximum"] = Pick(_numbers); break;
            case 7: members["multipleOf"] = Pick(["1", "0.1", "3", "1e-7", "7e3", "0.30"]); break;
            case 8: members["minLength"] = Small(); break;
            case 9: members["maxLength"] = Small(); break;
            case 10 or 11: members["pattern"] = Quote(Pick(_patterns)); break;
            case 12: members["minItems"] = Small(); break;
            case 13: members["maxItems"] = Small(); break;
            case 14: members["uniqueItems"] = "true"; break;
            case 15: members["items"] = Sub(); break;
            case 16: members["prefixItems"] = Subs(); break;
            case 17:
                members["contains"] = Sub();
                members["minContains"] = Small();
                members["maxContains"] = Small();
                break;
            case 18 or 19 or 20: members["properties"] = Map(_names); break;
            case 21 or 22: members["required"] = NameList(); break;
            case 23: members["additionalProperties"] = Chance(2) ? "false" : Sub(); break;
            case 24: members["patternProperties"] = Map(_patterns); break;
            case 25: members["propertyNames"] = Sub(); break;
            case 26: members["dependentRequired"] = "{" + Quote(Pick(_names)) + ":" + NameList() + "}"; break;
            case 27: members["dependentSchemas"] = Map(_names); break;
            case 28: members["anyOf"] = Subs(); break;
            case 29: members["oneOf"] = Subs(); break;
            case 30: members["not"] = Sub(); break;
            case 31:
                members["if"] = Sub();
                members["then"] = Sub();
                members["else"] = Sub();
                break;
            case 32: members[Chance(2) ? "unevaluatedProperties" : "unevaluatedItems"] = Sub(); break;
            default:
                members[Chance(2) ? "minProperties" : "maxProperties"] = Small();
                if (depth > 1)
                    members["$ref"] = "\"#/$defs/d\"";
                break;
        }
    }

    private string Value(int depth)
    {
        switch (_random.Next(depth > 0 ? 10 : 5))
        {
            case 0: return Pick(["null", "true", "false"]);
            case 1 or 2: return Pick(_numbers);
            case 3 or 4: return Quote(Pick(_texts));
            case 5 or 6: return "[" + string.Join(',', Several(() => Value(depth - 1)).Skip(_random.Next(2))) + "]";
            default:
                // Now and then a name comes twice: the last one counts.
                var names = Names(_names).Concat(Chance(8) ? ["a"] : []);
                return "{" + string.Join(',', names.Select(name => $"{Quote(name)}:{Value(depth - 1)}")) + "}";
        }
    }

    private List<string> Names(string[] pool) => Several(() => Pick(pool)).Distinct(StringComparer.Ordinal).ToList();

    private List<string> Several(Func<string> make) => Enumerable.Range(0, _random.Next(1, 4)).Select(_ => make()).ToList();

    private string Small() => _random.Next(0, 4).ToString();

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private string Pick(string[] pool) => pool[_random.Next(pool.Length)];

    private static string Quote(string text) => JsonValue.Create(text).ToJsonString();
#pragma warning restore CA5394
}
