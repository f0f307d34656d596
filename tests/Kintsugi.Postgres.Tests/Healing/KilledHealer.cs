using System.Diagnostics;
using System.Globalization;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>Not a test: the other process of <see cref="HealerKillTests"/>, which heals until it kills itself at the fact that it was told.</summary>
public sealed class KilledHealer
{
    private const string Connection = "KINTSUGI_TEST_CONNECTION", Data = "KINTSUGI_TEST_DATA", State = "KINTSUGI_TEST_STATE",
        Name = "KINTSUGI_TEST_MECHANISM", At = "KINTSUGI_TEST_KILL_AT";

    [Fact(Explicit = true)]
    public async Task Heal_until_killed()
    {
        var at = int.Parse(OtherProcess.Told(At), CultureInfo.InvariantCulture);
        var treatment = KillWard.Treat(Mechanism.Named(OtherProcess.Told(Name)), OtherProcess.Told(Connection), OtherProcess.Told(Data), OtherProcess.Told(State)) with
        {
            After = (_, number) =>
            {
                if (number == at)
                    Process.GetCurrentProcess().Kill();
                return ValueTask.CompletedTask;
            },
        };
        await treatment.Run(TestContext.Current.CancellationToken);
    }

    /// <param name="at">The number of the fact after which it dies; -1 for one that is killed from outside.</param>
    internal static Process Start(Treatment treatment, Mechanism mechanism, int at)
    {
        return OtherProcess.Start(typeof(KilledHealer), nameof(Heal_until_killed), new Dictionary<string, string?>
        {
            [Connection] = treatment.ConnectionString,
            [Data] = treatment.DataDirectory,
            [State] = treatment.State,
            [Name] = mechanism.Name,
            [At] = at.ToString(CultureInfo.InvariantCulture),
        });
    }
}
