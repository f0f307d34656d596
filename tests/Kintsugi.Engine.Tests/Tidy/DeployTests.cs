using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kintsugi.Engine.Tests.Tidy;

/// <summary>What ships beside the programs fits them: rules and dashboard by the names of the meter, the unit by systemd's own judgement.</summary>
public sealed partial class DeployTests
{
    private static string Deploy => Path.Combine(Sources.Root, "deploy");

    [Theory, InlineData("prometheus/kintsugi-rules.yml"), InlineData("prometheus/kintsugi-rules-test.yml"), InlineData("grafana/kintsugi.json")]
    public void Metrics_are_asked_for_by_names_that_exist(string file)
    {
        var meter = Sources.Product.Single(source => source.Path.EndsWith("/KintsugiMeter.cs", StringComparison.Ordinal)).Text;
        var known = Instruments().Matches(meter).Select(match => match.Groups[1].Value.Replace('.', '_')).ToHashSet();
        Assert.Contains("db_corruption_events", known);

        var asked = Metrics().Matches(File.ReadAllText(Path.Combine(Deploy, file))).Select(match => match.Value)
            .Select(name => Suffixes().Replace(name, "")).ToHashSet();

        Assert.Superset(new HashSet<string> { "db_corruption_events", "db_repair_success_rate", "db_health_check_duration", "kintsugi_cases_open" }, asked);
        Assert.Equal([], asked.Except(known));
    }

    [Fact]
    public void The_dashboard_is_json_with_a_panel_for_each_of_the_four_metrics()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Deploy, "grafana/kintsugi.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        var expressions = panels.SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!).ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        foreach (var name in new[] { "db_corruption_events_total", "db_repair_attempts_total", "db_repair_success_rate", "db_health_check_duration_seconds" })
            Assert.Contains(expressions, expression => expression.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_alert_rules_pass_their_own_tests()
    {
        Assert.SkipUnless(Found("promtool") is not null, "promtool is not on the PATH; ./test gets it where there is apt");
        await MustPass("promtool", "check", "rules", Path.Combine(Deploy, "prometheus/kintsugi-rules.yml"));
        await MustPass("promtool", "test", "rules", Path.Combine(Deploy, "prometheus/kintsugi-rules-test.yml"));
    }

    [Fact]
    public async Task The_unit_is_clean()
    {
        Assert.SkipUnless(Found("systemd-analyze") is not null, "systemd-analyze is not installed");
        var folder = Directory.CreateTempSubdirectory("kintsugi-unit-").FullName;
        var unit = Path.Combine(folder, "kintsugi.service");
        // Only the program's place is another one here: it must exist to be found sound.
        await File.WriteAllTextAsync(unit, (await File.ReadAllTextAsync(Path.Combine(Deploy, "systemd/kintsugi.service"), TestContext.Current.CancellationToken))
            .Replace("/usr/lib/kintsugi/kintsugi-server", "/bin/true", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Equal("", await MustPass("systemd-analyze", "verify", unit));
        Directory.Delete(folder, recursive: true);
    }

    private static string? Found(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static async Task<string> MustPass(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{string.Concat(said)}");
        return said[1];
    }

    [GeneratedRegex(@"""((?:db|kintsugi)\.[a-z_.]+)""")]
    private static partial Regex Instruments();

    [GeneratedRegex(@"\b(?:db|kintsugi)_[a-z_]+\b")]
    private static partial Regex Metrics();

    [GeneratedRegex("_(?:total|seconds(?:_(?:bucket|count|sum))?)$")]
    private static partial Regex Suffixes();
}
