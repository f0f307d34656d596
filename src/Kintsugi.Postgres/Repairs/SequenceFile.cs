using System.Globalization;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs;

/// <summary>Writes a sequence into new files of all its forks, its value with it, and into the WAL: any change of its definition does (AlterSequence).</summary>
internal static class SequenceFile
{
    /// <summary>The change that is none: its own CACHE again.</summary>
    public static async ValueTask<Step> Anew(Relation sequence, HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var cache = (await patient.Session.Rows("SELECT s.seqcache FROM pg_catalog.pg_sequence s WHERE s.seqrelid = $1", row => row.GetInt64(0), cancellationToken, sequence.Oid))[0];
        return new Step(SqlStep.Name, $"ALTER SEQUENCE {Quote.Name(sequence)} CACHE {cache.ToString(CultureInfo.InvariantCulture)}")
        {
            Database = healing.Database,
            Lock = "ShareRowExclusive",
            Why = "changes nothing, and writes the sequence with its value into a new file and into the WAL; nobody takes a value meanwhile",
        };
    }
}
