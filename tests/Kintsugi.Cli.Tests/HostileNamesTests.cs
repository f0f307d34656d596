using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>Names that break whatever is glued together, and functions that pretend to be the server's.</summary>
public sealed class HostileNamesTests(Servers servers)
{
    private const string Name = "we;ird\"na.me' DROP Ünï 🏺";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_kind_of_object_may_have_any_name()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var name = Quote.Identifier(Name);
        await database.Execute($"CREATE DATABASE {name}", Stop);
        await database.Cluster.Execute(Name, $"""
            CREATE EXTENSION amcheck; CREATE EXTENSION pg_visibility; CREATE SCHEMA {name};
            CREATE TABLE {name}.{name} ({name} int PRIMARY KEY, "the.other" text CHECK (length("the.other") < 100),
              parent int REFERENCES {name}.{name} ({name}), doubled int GENERATED ALWAYS AS ({name} * 2) STORED);
            CREATE INDEX {Quote.Identifier(Name + "2")} ON {name}.{name} ("the.other");
            CREATE SEQUENCE {name}.{Quote.Identifier(Name + "3")} OWNED BY {name}.{name}.{name};
            INSERT INTO {name}.{name} SELECT n, 'x' || n, 1 FROM generate_series(1, 500) n;
            """, Stop);
        var pattern = Quote.Identifier(Name);

        var sound = await terminal.Run(["check", .. Terminal.Door(database), Name, "-t", $"{pattern}.{pattern}", "--format", "json"]);
        Assert.True(sound.Code == ExitCodes.Sound, sound.All);
        Assert.Contains(sound.Json.GetProperty("examined").EnumerateArray(), item => item.GetProperty("target").GetString()!.Contains(Name));

        await database.Cluster.Execute(Name, "UPDATE pg_index SET indisvalid = false "
            + $"WHERE indexrelid = (SELECT oid FROM pg_class WHERE relname = '{(Name + "2").Replace("'", "''", StringComparison.Ordinal)}')", Stop);
        var damaged = await terminal.Run(["check", .. Terminal.Door(database), "-d", Name, "--only", "index-state", "--format", "json"]);
        Assert.Equal(ExitCodes.Damage, damaged.Code);
        var finding = Assert.Single(damaged.Json.GetProperty("findings").EnumerateArray());
        Assert.Equal([Name, Name, Name, Name + "2"], new[] { "database", "schema", "relation", "object" }.Select(field => finding.GetProperty(field).GetString()));
        Assert.Equal(ExitCodes.Damage, (await terminal.Run(["plan", .. Terminal.Door(database), "-d", Name, "--only", "index-state"])).Code);
    }

    [Fact]
    public async Task Functions_that_pretend_to_be_the_servers_are_not_called()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("""
            CREATE SCHEMA apart;
            ALTER EXTENSION amcheck SET SCHEMA apart;
            CREATE FUNCTION public.bt_index_check(index regclass, heapallindexed boolean) RETURNS void LANGUAGE plpgsql
              AS 'BEGIN RAISE EXCEPTION ''bt_index_check was called''; END';
            CREATE FUNCTION public.bt_index_check(index regclass, heapallindexed boolean, checkunique boolean) RETURNS void LANGUAGE plpgsql
              AS 'BEGIN RAISE EXCEPTION ''bt_index_check was called''; END';
            CREATE FUNCTION public.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''format was called''; END';
            CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''count was called''; END';
            CREATE FUNCTION public.length(text) RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''length was called''; END';
            CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''quote_ident was called''; END';
            CREATE FUNCTION public.never_equal(oid, oid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''= was called''; END';
            CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.never_equal);
            CREATE VIEW public.pg_class AS SELECT 1 / 0 AS oid;
            ALTER ROLE postgres SET search_path = public, pg_catalog;
            """, Stop);
        try
        {
            var said = await terminal.On(database, "check", "--depth", "deep");
            Assert.DoesNotContain("was called", said.All, StringComparison.Ordinal);
            Assert.DoesNotContain("division by zero", said.All, StringComparison.Ordinal);
            Assert.True(said.Code == ExitCodes.Sound, said.All);
        }
        finally
        {
            await database.Execute("ALTER ROLE postgres RESET search_path", CancellationToken.None);
        }
    }
}
