using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>policy:</c>, one key for each fault class, and the exceptions.</summary>
internal static class PolicyTable
{
    private static readonly Shape<PolicyChoice> Choice =
        Is.OneOf(("auto", PolicyChoice.Auto), ("approve", PolicyChoice.Approve), ("never", PolicyChoice.Never));

    private static readonly Key<string?> Fault = new(
        "fault", Is.OneOf([.. Faults.All.Select(fault => (fault.Id, fault.Id))])!, "The fault class; left out, every one.");
    private static readonly Key<string?> Database = new("database", Is.Text!, "Which databases: a name with * and ?.");
    private static readonly Key<string?> Table = new("table", Is.Text!, "Which tables: schema.table with * and ?, without quotes.");
    private static readonly Key<PolicyChoice> Policy = new("policy", Choice, "auto, approve or never.", required: true);

    private static readonly Mapping<PolicyOverride> Exception = new(
        [Fault, Database, Table, Policy],
        values =>
        {
            if (!values.Has(Fault) && !values.Has(Database) && !values.Has(Table))
            {
                values.Mistake("an exception needs a fault, a database or a table that it is for");
            }

            return new(values.Get(Fault), values.Get(Database), values.Get(Table), values.Get(Policy));
        });

    private static readonly Key<IReadOnlyList<PolicyOverride>> Exceptions = new(
        "exceptions", new Listing<PolicyOverride>(Exception), "Other choices for some databases or tables; the first that fits wins.", []);

    private static readonly Key<bool> RepairExisting = new(
        "repair_existing", Is.Flag, "Whether rows found bad by the first scrub are repaired without being acknowledged.",
        PolicyConfiguration.Default.RepairExisting);
    private static readonly Key<TimeSpan> ConfirmAfter = new(
        "confirm_after", Is.Duration, "Bad rows are repaired only when two scrubs this far apart saw them.",
        PolicyConfiguration.Default.ConfirmAfter);

    private static readonly IReadOnlyList<Key<PolicyChoice>> ByFault =
        [.. Faults.All.Select(fault => new Key<PolicyChoice>(fault.Id, Choice, $"When {fault.Title}: auto, approve or never."))];

    public static readonly Mapping<PolicyConfiguration> Shape = new(
        [.. ByFault, Exceptions, RepairExisting, ConfirmAfter],
        values => new(
            ByFault.Where(values.Has).ToDictionary(key => key.Name, values.Get, StringComparer.Ordinal), values.Get(Exceptions))
        {
            RepairExisting = values.Get(RepairExisting),
            ConfirmAfter = values.Get(ConfirmAfter),
        });
}
