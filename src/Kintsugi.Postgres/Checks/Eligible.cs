namespace Kintsugi.Postgres.Checks;

/// <summary>What every relation check decides the same way before it looks.</summary>
internal static class Eligible
{
    /// <summary>The answer that is known without looking, or null.</summary>
    public static Verdict? Settle(Relation relation, Patient patient) =>
        relation.Persistence == 't' ? new Verdict.NotApplicable("temporary: it belongs to one session and ends with it")
        : relation.Persistence == 'u' && patient.Can.InRecovery ? new Verdict.NotApplicable("unlogged: it has no contents on a standby")
        : null;

    /// <summary>A portion over the whole relation that stands on its own storage and on the heap that it serves.</summary>
    public static Portion Portion(Relation relation, Patient patient) =>
        new(patient.Relations.TargetOf(relation, patient.Can.SystemIdentifier))
        {
            Relation = relation,
            Weight = relation.Pages,
            StandsOn = relation.HeapOid != 0 ? [relation.Oid, relation.HeapOid] : [relation.Oid],
            Settled = Settle(relation, patient),
        };
}
