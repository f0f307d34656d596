using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Lab;

/// <summary>The sample media database: what the demo shows, and what every test starts from.</summary>
public static class SampleDatabase
{
    /// <summary>The database's name in the demo, and its template's name in the tests.</summary>
    public const string Name = "media";

    /// <summary>Films in a database for tests: every index has several leaf pages, and a copy costs a few megabytes.</summary>
    public const int ForTests = 1500;

    /// <summary>Films in the demo's database: some tens of megabytes, loaded in seconds.</summary>
    public const int ForDemo = 12_000;

    private static readonly IReadOnlyList<string> Parts = ["1-tables", "2-rows", "3-indexes", "4-life", "5-later"];

    /// <summary>Creates the database and fills it. The same scale gives the same rows, always.</summary>
    /// <param name="cluster">Where; it has to run.</param>
    /// <param name="name">The new database's name.</param>
    /// <param name="movies">The number of films; everything else follows from it. At least 200.</param>
    /// <param name="cancellationToken">Leaves a half-filled database behind.</param>
    public static async Task Load(ThrowawayCluster cluster, string name, int movies, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(movies, 200);
        await cluster.Execute("postgres", $"CREATE DATABASE {Quote.Identifier(name)}", cancellationToken);
        foreach (var part in Parts)
        {
            await cluster.Execute(name, Text(part, movies), cancellationToken);
            if (part == "4-life")
                await cluster.Execute(name, "VACUUM ANALYZE", cancellationToken);
        }
        await cluster.Execute(name, "CHECKPOINT", cancellationToken);
    }

    /// <summary>Changes whenever the rows or the schema would: golden clusters are kept under it.</summary>
    internal static string Revision(int movies)
    {
        var all = string.Concat(Parts.Select(part => Text(part, movies)));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..12];
    }

    private static string Text(string part, int movies)
    {
        var resource = $"Kintsugi.Lab.Sample.{part}.sql";
        using var stream = typeof(SampleDatabase).Assembly.GetManifestResourceStream(resource)
            ?? throw new LabException($"The resource {resource} is missing from this build.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().Replace(":movies:", movies.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }
}
