using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>budget:</c></summary>
internal static class BudgetTable
{
    private static readonly RepairBudget PerCase = new();
    public static readonly BudgetConfiguration Default = new(PerCase, 20, 10_000);

    private static readonly Key<long> RowsPerCase = new(
        "rows_per_case", Is.Count(0), "Rows that one case may change without a person.", PerCase.RowsPerCase);
    private static readonly Key<double> SharePerCase = new(
        "share_per_case", Is.Share, "The share of the table that one case may change; ten rows are always within it.", PerCase.SharePerCase);
    private static readonly Key<int> CasesPerHour = new(
        "cases_per_hour", Is.Whole(0, int.MaxValue), "Cases repaired in an hour; the others wait.", Default.CasesPerHour);
    private static readonly Key<long> RowsPerDay = new(
        "rows_per_day", Is.Count(0), "Rows changed in a day over all cases; the others wait.", Default.RowsPerDay);

    private static readonly Key<int?> CasesPerDay = new(
        "cases_per_day", new Lifted<int>(Is.Whole(0, int.MaxValue)), "Cases repaired in a day; left out, there is no limit.");
    private static readonly Key<long?> RowsPerHour = new(
        "rows_per_hour", new Lifted<long>(Is.Count(0)), "Rows changed in an hour over all cases; left out, there is no limit.");
    private static readonly Key<long?> BytesPerHour = new(
        "bytes_per_hour", new Lifted<long>(Is.Size), "Bytes that repairs write in an hour; left out, there is no limit.");
    private static readonly Key<long?> BytesPerDay = new(
        "bytes_per_day", new Lifted<long>(Is.Size), "Bytes that repairs write in a day; left out, there is no limit.");

    public static readonly Mapping<BudgetConfiguration> Shape = new(
        [RowsPerCase, SharePerCase, CasesPerHour, CasesPerDay, RowsPerHour, RowsPerDay, BytesPerHour, BytesPerDay],
        values => new(
            new() { RowsPerCase = values.Get(RowsPerCase), SharePerCase = values.Get(SharePerCase) },
            values.Get(CasesPerHour), values.Get(RowsPerDay))
        {
            CasesPerDay = values.Get(CasesPerDay),
            RowsPerHour = values.Get(RowsPerHour),
            BytesPerHour = values.Get(BytesPerHour),
            BytesPerDay = values.Get(BytesPerDay),
        });
}

/// <summary><c>breaker:</c></summary>
internal static class BreakerTable
{
    public static readonly BreakerLimits Default = new();

    private static readonly Key<int> NewObjects = new(
        "new_objects", Is.Whole(1, int.MaxValue), "Objects whose files are newly damaged in one scrub, from which on nothing is repaired.", Default.NewObjects);
    private static readonly Key<int> NewFindings = new(
        "new_findings", Is.Whole(1, int.MaxValue), "New findings of damaged files in one scrub, from which on nothing is repaired.", Default.NewFindings);
    private static readonly Key<int> Rise = new(
        "rise", Is.Whole(1, int.MaxValue), "New findings of damaged files beside known ones that still stand, from which on nothing is repaired.", Default.Rise);

    public static readonly Mapping<BreakerLimits> Shape = new([NewObjects, NewFindings, Rise], values => new BreakerLimits
    {
        NewObjects = values.Get(NewObjects),
        NewFindings = values.Get(NewFindings),
        Rise = values.Get(Rise),
    });
}

/// <summary><c>windows:</c></summary>
internal static class WindowTable
{
    private static readonly Shape<DayOfWeek> Day = Is.OneOf(
        ("mon", DayOfWeek.Monday), ("tue", DayOfWeek.Tuesday), ("wed", DayOfWeek.Wednesday), ("thu", DayOfWeek.Thursday),
        ("fri", DayOfWeek.Friday), ("sat", DayOfWeek.Saturday), ("sun", DayOfWeek.Sunday));

    private static readonly Key<IReadOnlyList<DayOfWeek>> Days = new(
        "days", new Listing<DayOfWeek>(Day, "day", day => day.ToString()), "The days on which it begins; left out, every day.",
        Enum.GetValues<DayOfWeek>());
    private static readonly Key<TimeOnly> From = new("from", Is.TimeOfDay, "When it begins.", required: true);
    private static readonly Key<TimeOnly> To = new(
        "to", Is.TimeOfDay, "When it ends; at or before the beginning means on the next day.", required: true);
    private static readonly Key<TimeZoneInfo> Zone = new("zone", Is.Zone, "The time zone; left out, UTC.", TimeZoneInfo.Utc);

    private static readonly Mapping<MaintenanceWindow> One = new(
        [Days, From, To, Zone],
        values =>
        {
            if (values.Get(Days).Count == 0)
            {
                values.Mistake(Days, "a window on no day is never open; name a day, or leave days out for every day");
            }

            return new(values.Get(Days).ToHashSet(), values.Get(From), values.Get(To), values.Get(Zone));
        });

    public static readonly Listing<MaintenanceWindow> Shape = new(One);
}

/// <summary><c>jobs:</c></summary>
internal static class JobTable
{
    public static readonly JobConfiguration Default = new(TimeSpan.FromDays(7), []);

    private static readonly Key<TimeSpan> ChecksumVerifyInterval = new(
        "checksum_verify_interval", Is.Duration, "How often every page's checksum is verified.", Default.ChecksumVerifyInterval);
    private static readonly Key<IReadOnlyList<Rules.ObjectName>> CriticalIndexes = new(
        "critical_indexes", new Listing<Rules.ObjectName>(Names.Object, "index", index => index.ToString()),
        "Indexes looked at in every health check; left out, the primary keys of the most used tables.", []);

    private static readonly Key<int> Sessions = new(
        "sessions", Is.Whole(1, 64), "Sessions that a look has at its target, over all nodes of a shared ledger.", Default.Sessions);
    private static readonly Key<long> UnitSize = new(
        "unit_size", Is.Size, "Pieces of a look that read at least so much may be done by another node.", Default.UnitSize);

    public static readonly Mapping<JobConfiguration> Shape = new(
        [ChecksumVerifyInterval, CriticalIndexes, Sessions, UnitSize], values => new(values.Get(ChecksumVerifyInterval), values.Get(CriticalIndexes))
        {
            Sessions = values.Get(Sessions), UnitSize = values.Get(UnitSize),
        });
}
