namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Columns that hold one of a few letters (the DECLARE lines of src/include/catalog, 13 to 18): the server compares them and takes what it
/// does not know for something else, or fails in the middle of a command.</summary>
internal static class LetterRules
{
    public static IReadOnlyList<CatalogRule> All { get; } = [.. Text.Split('\n').SelectMany(Line)];

    /// <summary>A catalog with the relation concerned and the name of the row, then columns with their letters; <c>_</c> is the empty one.</summary>
    private const string Text = """
        pg_class f.oid f.relname relreplident=dnfi
        pg_attribute f.attrelid f.attname attstorage=pemx attalign=csid attidentity=_ad attgenerated=_sv attcompression=_pl
        pg_constraint f.conrelid f.conname confupdtype=_arcnd confdeltype=_arcnd confmatchtype=_fps
        pg_proc 0 f.proname prokind=fpaw provolatile=isv proparallel=sru
        pg_trigger f.tgrelid f.tgname tgenabled=ODRA
        pg_rewrite f.ev_class f.rulename ev_enabled=ODRA ev_type=1234
        pg_policy f.polrelid f.polname polcmd=rawd*
        pg_cast 0 f.oid castcontext=eai castmethod=fib
        pg_partitioned_table f.partrelid f.partrelid partstrat=hlr
        pg_aggregate 0 f.aggfnoid aggkind=noh aggfinalmodify=rsw aggmfinalmodify=rsw
        pg_operator 0 f.oprname oprkind=blr
        pg_amop 0 f.oid amoppurpose=so
        pg_am 0 f.amname amtype=it
        pg_event_trigger 0 f.evtname evtenabled=ODRA
        pg_default_acl 0 f.oid defaclobjtype=rSfTnL
        """;

    private static IEnumerable<CatalogRule> Line(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var word in words.Skip(3))
        {
            var (column, letters) = (word[..word.IndexOf('=', StringComparison.Ordinal)], word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            var known = string.Join(", ", letters.Select(letter => letter == '_' ? "''" : $"'{letter}'"));
            // What is no constraint of a foreign key has blanks there.
            var blank = words[0] == "pg_constraint" ? ", ' '" : "";
            yield return new CatalogRule($"{words[0]}.{column}", words[0], $"{column} to be one of {known}",
                $"SELECT {words[1]}::pg_catalog.oid, {words[2]}::pg_catalog.text, f.ctid::pg_catalog.text, 'it is ' || pg_catalog.quote_literal(f.{column}::pg_catalog.text) "
                + $"FROM pg_catalog.{words[0]} f WHERE f.{column}::pg_catalog.text NOT IN ({known}{blank})")
            {
                Columns = [$"{words[0]}.{column}"],
                ThingIsColumn = words[0] == "pg_attribute",
            };
        }
    }
}
