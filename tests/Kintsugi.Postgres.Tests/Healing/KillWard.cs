using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>Which mechanisms are killed on which majors, and a patient for each. The kinds of death have classes of their own, which run side by side.</summary>
internal sealed class KillWard(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-kills-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    /// <summary>Every mechanism on both ends, where the default run can afford it.</summary>
    public static TheoryData<string, int> Matrix() => Matrix(mechanism => All || !mechanism.OneTransaction, oldest: true);

    /// <summary>Also those that <see cref="Matrix()"/> leaves to ./test --all.</summary>
    public static TheoryData<string, int> Each() => Matrix(_ => true, oldest: true);

    /// <summary>Steps with a middle that can be waited for.</summary>
    public static TheoryData<string, int> Middles() => Matrix(mechanism => mechanism.Stall is not null, oldest: All);

    private static TheoryData<string, int> Matrix(Func<Mechanism, bool> wanted, bool oldest)
    {
        var data = new TheoryData<string, int>();
        foreach (var mechanism in Mechanism.All.Where(mechanism => wanted(mechanism) && (All || !mechanism.OnlyAll) && Chosen(mechanism.Name)))
        {
            data.Add(mechanism.Name, TestMajors.Newest);
            if (oldest && (All || !mechanism.OneTransaction) && TestMajors.Oldest != TestMajors.Newest)
                data.Add(mechanism.Name, TestMajors.Oldest);
        }
        return data;
    }

    /// <summary>For work on one of them: KINTSUGI_TEST_KILLS=unhide-parent,recreate-rows.</summary>
    public static bool Chosen(string name) =>
        Environment.GetEnvironmentVariable("KINTSUGI_TEST_KILLS") is not { Length: > 0 } names || names.Split(',').Contains(name);

    public static Treatment Treat(Mechanism mechanism, string connection, string data, string state) => new(connection, data, state)
    {
        Checks = mechanism.Checks,
        Includes = mechanism.Everywhere || mechanism.Checks is ["catalog"] or ["collation"] or ["sequence"] or ["foreign-key"] or ["uniqueness"] ? null : relation => relation.TableName == "ward",
        Policy = mechanism.Policy,
        Depth = mechanism.Depth,
        Repair = mechanism.Repair,
        Approve = true,
    };

    public async Task<KillPatient> Prepare(string name, int major)
    {
        var database = await servers.Cluster(major, Token);
        var mechanism = Mechanism.Named(name);
        await database.Execute(mechanism.Prepare, Token);
        await database.Execute("CREATE TABLE beside AS SELECT g AS id FROM generate_series(1, 100) g; CREATE INDEX beside_id ON beside (id)", Token);
        return await KillPatient.Admit(database, mechanism, state, Token);
    }
}
