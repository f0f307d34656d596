namespace Kintsugi.Engine.Tests.Policies;

public sealed class SpendingLimitsTests
{
    private static readonly Spending Nothing = new(0, 0, 0);

    [Fact]
    public void Within_every_limit_or_without_any_a_plan_runs()
    {
        Assert.Null(new SpendingLimits().Exceeded(new(1000, 1_000_000, 1L << 50), new(1000, 1_000_000, 1L << 50), Plan(500, 1 << 30)));
        Assert.Null(new SpendingLimits { CasesPerHour = 2, RowsPerDay = 100, BytesPerDay = 1000 }.Exceeded(new(1, 0, 0), new(1, 60, 600), Plan(40, 400)));
    }

    [Theory, InlineData("cases", "hour"), InlineData("cases", "day"), InlineData("rows", "hour"), InlineData("rows", "day"), InlineData("bytes", "hour"), InlineData("bytes", "day")]
    public void Beyond_any_limit_it_waits_and_says_which(string what, string span)
    {
        var limits = (what, span) switch
        {
            ("cases", "hour") => new SpendingLimits { CasesPerHour = 3 },
            ("cases", "day") => new SpendingLimits { CasesPerDay = 3 },
            ("rows", "hour") => new SpendingLimits { RowsPerHour = 100 },
            ("rows", "day") => new SpendingLimits { RowsPerDay = 100 },
            ("bytes", "hour") => new SpendingLimits { BytesPerHour = 1000 },
            _ => new SpendingLimits { BytesPerDay = 1000 },
        };
        var spent = new Spending(3, 61, 601);
        var (hour, day) = span == "hour" ? (spent, Nothing) : (Nothing, spent);

        Assert.Contains($"{what} in a{(span == "hour" ? "n" : "")} {span} is used up: ", limits.Exceeded(hour, day, Plan(40, 400)), StringComparison.Ordinal);
        Assert.Null(limits.Exceeded(day, hour, Plan(40, 400)));
    }

    [Fact]
    public void What_changes_no_row_is_not_held_back_by_the_rows_of_others() =>
        Assert.Null(new SpendingLimits { RowsPerDay = 100 }.Exceeded(Nothing, new(5, 5000, 0), Plan(0, 1 << 20)));

    private static Plan Plan(long rows, long bytes) => new("a repair", [])
    {
        Case = "c", Alters = [], Snapshot = SnapshotGrade.None, RowsChanged = rows, DiskBytes = bytes,
    };
}
