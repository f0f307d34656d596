using System.Globalization;
using System.Text.Json;
using Kintsugi.Postgres.Checks.Catalog;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

/// <summary>What the rules of the catalogs cost where there are many tables and nobody has analyzed the catalogs yet, as after a restore.</summary>
public sealed class CatalogPlanTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task No_rule_reads_a_catalog_again_for_each_row_of_another(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            DO $$ BEGIN
              FOR n IN 1..800 LOOP
                EXECUTE pg_catalog.format('CREATE TABLE many_%s (id bigint PRIMARY KEY, name text)', n);
              END LOOP;
            END $$
            """, Stop);
        await database.Execute("DELETE FROM pg_statistic", Stop);
        await using var factory = new SessionFactory(_ => database.ConnectionString, new SessionLimits());
        var source = await PatientSource.Connect(factory, [database.Name], null, null, new Pace(null, TimeProvider.System), Stop);
        var patient = await source.Open(database.Name, Stop);
        var probes = (await CatalogPortions.Of(patient, shared: false, Stop)).Cast<CatalogPortion>().SelectMany(portion => portion.Probes).ToList();
        Assert.True(probes.Count > 100, $"{probes.Count} probes");

        Assert.Equal([], await Costly(patient, probes, CatalogExamination.HeapAlone));
        // The planner would: what is asked of it is what keeps it from that.
        Assert.NotEmpty(await Costly(patient, probes, "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off"));
    }

    private static async Task<List<string>> Costly(Patient patient, List<CatalogProbe> probes, string settings) =>
        await patient.Session.InTransaction(settings, async session =>
        {
            var costly = new List<string>();
            foreach (var probe in probes)
            {
                var plan = (await session.Rows($"EXPLAIN (FORMAT JSON) {probe.Sql}", row => row.GetString(0), Stop))[0];
                using var document = JsonDocument.Parse(plan);
                if (Repeated(document.RootElement[0].GetProperty("Plan")) is { } what)
                    costly.Add($"{probe.Id}: {what}");
            }
            return costly;
        }, Stop);

    /// <summary>A catalog that grows with the tables and is read on the inner side of a nested loop whose other side grows with them too.</summary>
    private static string? Repeated(JsonElement plan)
    {
        if (!plan.TryGetProperty("Plans", out var inputs))
            return null;
        var sides = inputs.EnumerateArray().Where(input => input.GetProperty("Parent Relationship").GetString() is "Outer" or "Inner").ToList();
        if (plan.GetProperty("Node Type").GetString() == "Nested Loop" && sides is [var outer, var inner] && Grows(outer) is { } each && Grows(inner) is { } again)
            return string.Create(CultureInfo.InvariantCulture, $"{again} for each row of {each}");
        return inputs.EnumerateArray().Select(Repeated).FirstOrDefault(found => found is not null);
    }

    private static string? Grows(JsonElement plan) =>
        plan.GetProperty("Node Type").GetString() == "Seq Scan" && plan.GetProperty("Relation Name").GetString() is "pg_class" or "pg_attribute" or "pg_index" or "pg_type" or "pg_depend"
            or "pg_constraint" ? plan.GetProperty("Relation Name").GetString()
        : plan.TryGetProperty("Plans", out var inputs) ? inputs.EnumerateArray().Where(input => input.GetProperty("Parent Relationship").GetString() is "Outer" or "Inner")
            .Select(Grows).FirstOrDefault(found => found is not null)
        : null;
}
