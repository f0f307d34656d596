using System.Text.Json;
using Kintsugi.JsonSchema;
using Xunit;

namespace Kintsugi.Engine.Tests.JsonSchema;

/// <summary>The official JSON-Schema-Test-Suite, read where it lies beside the repository; none of it is kept here.</summary>
internal sealed class OfficialSuite
{
    private const string Variable = "KINTSUGI_JSON_SCHEMA_SUITE";
    private const string Draft = "draft2020-12";
    private readonly string _root;
    private readonly Dictionary<string, JsonElement> _remotes = new(StringComparer.Ordinal);

    private OfficialSuite(string root)
    {
        _root = root;
        var remotes = Path.Combine(root, "remotes");
        foreach (var file in Directory.EnumerateFiles(remotes, "*.json", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(remotes, file).Replace('\\', '/');
            _remotes[$"http://localhost:1234/{path}"] = Read(file);
        }
    }

    /// <summary>Null where a clone has no suite beside it.</summary>
    public static OfficialSuite? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return new OfficialSuite(named);
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(Path.Combine(at.FullName, "kintsugi.slnx")))
                continue;
            var beside = Path.Combine(at.FullName, "..", "shared", "data", "json-schema-test-suite");
            return Directory.Exists(beside) ? new OfficialSuite(beside) : null;
        }

        return null;
    }

    /// <summary>Every test of a folder whose answer differs, as <c>file: group: test</c>, and how many there were.</summary>
    public (int Tests, List<string> Failures) Run(string folder, bool assertFormat)
    {
        var options = SchemaOptions.Default with
        {
            UnknownKeywords = UnknownKeywords.Ignore, AssertFormat = assertFormat, Documents = _remotes,
        };
        var (tests, failures) = (0, new List<string>());
        var path = Path.Combine(_root, "tests", Draft, folder);
        foreach (var file in Directory.EnumerateFiles(path, "*.json").Order(StringComparer.Ordinal))
        {
            foreach (var group in Read(file).EnumerateArray())
            {
                var name = $"{Path.GetFileName(file)}: {group.GetProperty("description").GetString()}";
                var compiled = CompiledSchema.Compile(group.GetProperty("schema"), options);
                foreach (var test in group.GetProperty("tests").EnumerateArray())
                {
                    tests++;
                    if (Judge(compiled, test) is { } wrong)
                        failures.Add($"{name}: {wrong}");
                }
            }
        }

        return (tests, failures);
    }

    private static string? Judge(SchemaCompilation compiled, JsonElement test)
    {
        var name = test.GetProperty("description").GetString()!;
        if (compiled.Schema is not { } schema)
            return $"{name} (no schema: {compiled.Errors[0]})";
        var expected = test.GetProperty("valid").GetBoolean();
        var data = test.GetProperty("data");
        var examined = schema.Validate(data, 10);

        // Both ways of asking must agree, and a refusal must say why.
        Assert.Equal(schema.IsValid(data), examined.Conformance == Conformance.Conforms);
        Assert.Equal(examined.Conformance == Conformance.Violates, examined.Violations.Count > 0);
        return expected == (examined.Conformance == Conformance.Conforms) ? null : name;
    }

    private static JsonElement Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return document.RootElement.Clone();
    }
}
