namespace Kintsugi.JsonSchema;

/// <summary>Keywords that mean nothing without another: the owner believes in a rule that no document can break.</summary>
internal static class DeadKeywords
{
    private static readonly (string Keyword, string Needs)[] _pairs =
    [
        ("then", "if"), ("else", "if"), ("minContains", "contains"), ("maxContains", "contains"),
    ];

    public static void Report(SchemaBuilder builder, SchemaSite site)
    {
        foreach (var (keyword, needs) in _pairs)
        {
            if (site.Json.TryGetProperty(keyword, out _) && !site.Json.TryGetProperty(needs, out _))
                builder.Fail(site, keyword, $"\"{keyword}\" asserts nothing without \"{needs}\" beside it");
        }
    }
}
