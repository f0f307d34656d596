using System.Data.Common;
using System.Globalization;

namespace Kintsugi.State;

/// <summary>What the service remembers of its jobs: runs, the schedule as it stands, switches (pauses), and what the command line asked for.</summary>
/// <param name="node">The node whose runs are begun here.</param>
public sealed class ServiceBook(StateStore store, string node = "")
{
    private const string RunColumns = "id, job, target, argument, state, started, ended, message, node, units";

    public long Begin(string job, string target, string argument, DateTimeOffset at) => store.Change(connection => Sql.Number(
        connection, "insert into runs (job, target, argument, state, started, node) values (@job, @target, @argument, 'running', @at, @node) returning id",
        ("@job", job), ("@target", target), ("@argument", argument), ("@at", Sql.Time(at)), ("@node", node)));

    /// <param name="units">How many units of a shared look each node has done.</param>
    public void End(
        long run, string state, string? message, long rows, IReadOnlyDictionary<string, long> units, DateTimeOffset at, TimeSpan keep) => store.Change(connection =>
    {
        Sql.Run(connection, "update runs set state = @state, message = @message, rows = @rows, units = @units, ended = @at where id = @id",
            ("@state", state), ("@message", message), ("@rows", rows), ("@units", UnitsText(units)), ("@at", Sql.Time(at)), ("@id", run));
        Sql.Run(connection, "delete from runs where started < @old", ("@old", Sql.Time(at - keep)));
    });

    /// <summary>A person wants what runs there to end: the node that runs it sees it at its next beat.</summary>
    /// <returns>Whether anything like that runs.</returns>
    public bool Cancel(string job, string? target, string argument, string by) => store.Change(connection => Sql.Run(connection, """
        update runs set cancelled_by = @by where state = 'running' and job = @job and (@target is null or target = @target)
            and (@argument = '' or argument = @argument)
        """, ("@by", by), ("@job", job), ("@target", target), ("@argument", argument))) > 0;

    /// <summary>The runs of this node that a person wants to end.</summary>
    public IReadOnlyList<JobRun> Cancelled() => store.Look(connection => Sql.Rows(
        connection, $"select {RunColumns} from runs where state = 'running' and node = @node and cancelled_by is not null", Run, ("@node", node)));

    public IReadOnlyList<JobRun> Runs(int newest) => store.Look(connection => Sql.Rows(
        connection, $"select {RunColumns} from runs order by id desc limit @newest", Run, ("@newest", newest)));

    /// <summary>The newest runs of that job on that target, newest first.</summary>
    public IReadOnlyList<JobRun> Runs(string job, string target, int newest) => store.Look(connection => Sql.Rows(
        connection, $"select {RunColumns} from runs where job = @job and target = @target and argument = '' order by id desc limit @newest", Run,
        ("@job", job), ("@target", target), ("@newest", newest)));

    /// <summary>Healed and ended repairs since then.</summary>
    public (long Healed, long Ended) Repairs(DateTimeOffset since) => store.Look(connection => (
        Count(connection, since, "and state = 'healed'"), Count(connection, since, "and state in ('healed', 'escalated')")));

    private static long Count(DbConnection connection, DateTimeOffset since, string which) => Sql.Number(
        connection, $"select count(*) from runs where job = 'db.repair' and started >= @since {which}", ("@since", Sql.Time(since)));

    /// <summary>The schedule as it stands, whole: what is not in it any more goes.</summary>
    public void Plan(IReadOnlyCollection<PlannedJob> jobs) => store.Change(connection =>
    {
        Sql.Run(connection, "delete from schedule");
        foreach (var job in jobs)
            Sql.Run(connection, "insert into schedule values (@job, @target, @interval, @next, @previous)", ("@job", job.Job), ("@target", job.Target),
                ("@interval", (long)job.Interval.TotalSeconds), ("@next", Sql.TimeOrNull(job.Next)), ("@previous", Sql.TimeOrNull(job.Previous)));
    });

    public IReadOnlyList<PlannedJob> Planned() => store.Look(connection => Sql.Rows(
        connection, "select job, target, interval, next, previous from schedule order by target, interval, job",
        row => new PlannedJob(row.GetString(0), row.GetString(1), TimeSpan.FromSeconds(row.GetInt64(2)), row.TimeOrNull(3), row.TimeOrNull(4))));

    public void Set(Switch pause, DateTimeOffset at) => store.Change(connection => Sql.Run(
        connection, "insert into switches values (@name, @until, @because, @by, @at) "
            + "on conflict (name) do update set until = excluded.until, because = excluded.because, by = excluded.by, at = excluded.at", ("@name", pause.Name),
        ("@until", Sql.TimeOrNull(pause.Until)), ("@because", pause.Because), ("@by", pause.By), ("@at", Sql.Time(at))));

    /// <returns>Whether it was set.</returns>
    public bool Clear(string name) => store.Change(connection => Sql.Run(connection, "delete from switches where name = @name", ("@name", name))) > 0;

    /// <summary>The switch that stands at that time, or null.</summary>
    public Switch? Standing(string name, DateTimeOffset now) => Standing(now).FirstOrDefault(pause => pause.Name == name);

    public IReadOnlyList<Switch> Standing(DateTimeOffset now) => store.Look(connection => Sql.Rows(
        connection, "select name, until, because, by from switches where until is null or until > @now order by name",
        row => new Switch(row.GetString(0), row.TimeOrNull(1), row.GetString(2), row.GetString(3)), ("@now", Sql.Time(now))));

    /// <summary>Leaves word for the service that works with these books.</summary>
    public void Ask(JobRequest request) => store.Change(connection => Sql.Run(
        connection, "insert into requests (verb, job, target, argument, by, at) values (@verb, @job, @target, @argument, @by, @at)",
        ("@verb", request.Verb), ("@job", request.Job), ("@target", request.Target), ("@argument", request.Argument), ("@by", request.By),
        ("@at", Sql.Time(request.At))));

    /// <summary>What was asked for since the last time, once.</summary>
    public IReadOnlyList<JobRequest> Asked() => store.Change(connection => Sql.Rows(
        connection, "delete from requests returning verb, job, target, argument, by, at",
        row => new JobRequest(row.GetString(0), row.GetString(1), row.TextOrNull(2), row.TextOrNull(3), row.GetString(4), Sql.Time(row.GetString(5)))));

    private static JobRun Run(DbDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4),
        Sql.Time(row.GetString(5)), row.TimeOrNull(6), row.TextOrNull(7), row.GetString(8))
    {
        Units = UnitsOf(row.TextOrNull(9)),
    };

    /// <summary>A line for each node: the number and the name.</summary>
    private static string? UnitsText(IReadOnlyDictionary<string, long> units) => units.Count == 0 ? null
        : string.Join('\n', units.OrderBy(node => node.Key, StringComparer.Ordinal).Select(node => string.Create(CultureInfo.InvariantCulture, $"{node.Value} {node.Key}")));

    private static Dictionary<string, long> UnitsOf(string? text) => (text?.Split('\n') ?? []).Select(line => line.Split(' ', 2))
        .ToDictionary(line => line[1], line => long.Parse(line[0], CultureInfo.InvariantCulture));
}

/// <param name="State">running, done, failed, cancelled, stopped, lost; of a repair also healed, transient, waiting, escalated, skipped.</param>
public sealed record JobRun(
    long Id, string Job, string Target, string Argument, string State, DateTimeOffset Started, DateTimeOffset? Ended, string? Message,
    string Node)
{
    /// <summary>How many units of a look that nodes share each of them has done; empty for anything else.</summary>
    public IReadOnlyDictionary<string, long> Units { get; init; } = new Dictionary<string, long>();
}

/// <summary>A job as the running service has it in its schedule.</summary>
public sealed record PlannedJob(string Job, string Target, TimeSpan Interval, DateTimeOffset? Next, DateTimeOffset? Previous);

/// <summary>Something that is stopped until a time, or until it is taken back.</summary>
public sealed record Switch(string Name, DateTimeOffset? Until, string Because, string By);

/// <summary>Something that a person asked of the service from another process.</summary>
/// <param name="Verb">run or cancel.</param>
/// <param name="Target">Null means every target.</param>
public sealed record JobRequest(string Verb, string Job, string? Target, string? Argument, string By, DateTimeOffset At);
