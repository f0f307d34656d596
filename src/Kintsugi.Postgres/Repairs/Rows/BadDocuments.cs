using Kintsugi.JsonSchema;
using Kintsugi.Postgres.Checks.Owner;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>Where the documents lie that a JSON Schema rejects, when the server alone cannot tell them from good ones.</summary>
internal static class BadDocuments
{
    /// <returns>The places as the text of a tid array, and why they could not be told, or null.</returns>
    public static async ValueTask<(string Places, string? Why)> Find(AccusedTable accused, Patient patient, CancellationToken cancellationToken)
    {
        var facts = accused.Finding.Facts;
        if (CompiledSchema.Compile(facts[FactNames.Schema], SchemaOptions.Default).Schema is not { } schema)
            return ("", "its JSON Schema is wrong");
        var column = RowGround.List(accused.Finding, FactNames.Columns)[0];
        var suspects = new RowQuestion(accused.Table, facts[FactNames.Suspect], RowGround.List(accused.Finding, FactNames.KeyColumns));
        var (found, undecided) = await Documents.Find(suspects, schema, $"{Quote.Identifier(accused.Table.Name)}.{Quote.Identifier(column)}",
            RowGround.Says(accused.Finding, FactNames.NullsAllowed, "true"), patient, cancellationToken);
        if ((found.Untrusted ?? undecided) is { } why)
            return ("", why);
        return found.Rows > found.Sample.Count
            ? ("", $"{found.Rows} documents are more than are listed one by one ({RowSearch.MaxConfirmed}): decide by hand")
            : ($"{{{string.Join(',', found.Sample.Select(row => $"\"{row.Place}\""))}}}", null);
    }
}
