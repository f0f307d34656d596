namespace Kintsugi.JsonSchema;

/// <summary>
/// A condition in SQL that holds for every jsonb value that could violate a schema, so that good rows need not travel.
/// It errs on one side only: what PostgreSQL cannot decide as the validator does is suspect.
/// </summary>
/// <param name="Text">
/// A boolean expression, schema-qualified throughout. Never NULL; a column that is NULL is suspect, so the caller adds
/// <c>IS NOT NULL</c> where NULL is allowed.
/// </param>
/// <param name="IsExact">True: every suspect violates. False: suspects are to be validated.</param>
/// <param name="IsExactInUtf8">The same, where the database's encoding is UTF8.</param>
public sealed record SqlPredicate(string Text, bool IsExact, bool IsExactInUtf8)
{
    /// <summary>Longer conditions cost the server more than they save.</summary>
    private const int MaxLength = 65_536;

    /// <param name="schema">The schema that rows should obey.</param>
    /// <param name="column">SQL of the jsonb value: a qualified and quoted column name.</param>
    /// <returns>Null when every row would be suspect, so that asking saves nothing.</returns>
    public static SqlPredicate? For(CompiledSchema schema, string column)
    {
        var builder = new SuspectBuilder();
        var suspect = builder.Of(schema.Root, column);
        if (suspect.Sql == Suspect.True)
            return null;
        var text = $"({suspect.Sql}) IS NOT FALSE";
        if (builder.NeedsUtf8)
        {
            // Under SQL_ASCII a character is a byte; lengths and patterns would lie (manual 24.3).
            text = $"({text} OR pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8')";
        }

        return text.Length > MaxLength
            ? null
            : new SqlPredicate(text, suspect.IsExact && !builder.NeedsUtf8, suspect.IsExact);
    }
}
