using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kintsugi.Engine.Tests.Tidy;

/// <summary>Who may know whom, and who may touch the server.</summary>
public sealed partial class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Kintsugi.Engine"] = [],
        ["Kintsugi.Pages"] = [],
        ["Kintsugi.JsonSchema"] = [],
        ["Kintsugi.Configuration"] = ["Engine"],
        ["Kintsugi.State"] = ["Engine"],
        ["Kintsugi.Postgres"] = ["Engine", "Pages", "JsonSchema"],
        ["Kintsugi.Lab"] = ["Postgres", "Pages"],
        ["Kintsugi.Cli"] = ["Postgres", "State", "Lab", "Configuration"],
        ["Kintsugi.Hosting"] = ["Postgres", "State", "Configuration"],
        ["Kintsugi.Web"] = ["Hosting"],
        ["Kintsugi.Server"] = ["Web", "Configuration"],
    };

    [Fact]
    public void Projects_refer_only_along_the_arrows()
    {
        Assert.Contains("Kintsugi.Engine", Sources.Arrows.Keys);
        foreach (var (project, references) in Sources.Arrows)
        {
            Assert.True(Allowed.TryGetValue(project, out var allowed), $"{project} has no place among the arrows of ARCHITECTURE.md");
            Assert.Equal([], references.Except(allowed!.Select(name => $"Kintsugi.{name}")));
        }
    }

    [Fact]
    public void The_command_line_drags_in_no_web_server_scheduler_or_host()
    {
        using var locked = JsonDocument.Parse(File.ReadAllText(Path.Combine(Sources.Root, "src/Kintsugi.Cli/packages.lock.json")));
        var packages = locked.RootElement.GetProperty("dependencies").EnumerateObject().SelectMany(framework => framework.Value.EnumerateObject())
            .Select(package => package.Name).ToList();
        Assert.Contains("Npgsql", packages);
        Assert.Equal([], packages.Where(name => name.StartsWith("Microsoft.AspNetCore", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("Quartz", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("Microsoft.Extensions.Hosting", StringComparison.OrdinalIgnoreCase)));
        foreach (var project in new[] { "Cli" }.Concat(Allowed["Kintsugi.Cli"]))
            Assert.DoesNotContain("Microsoft.AspNetCore.App",
                File.ReadAllText(Path.Combine(Sources.Root, $"src/Kintsugi.{project}/Kintsugi.{project}.csproj")), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_sessions_open_connections()
    {
        string[] rooms = ["src/Kintsugi.Postgres/Sessions/", "src/Kintsugi.State/", "src/Kintsugi.Lab/"];
        Assert.Contains(Sources.Product, file => file.Path.StartsWith(rooms[0], StringComparison.Ordinal) && Opening().IsMatch(file.Text));
        Assert.Equal([], Sources.Product.Where(file => !rooms.Any(room => file.Path.StartsWith(room, StringComparison.Ordinal)))
            .SelectMany(file => file.Where(line => Opening().IsMatch(line))));
    }

    [GeneratedRegex(@"new Npgsql(Connection|(Slim)?DataSourceBuilder)\(|NpgsqlDataSource\.Create|\.OpenConnectionAsync\(|\.CreateConnection\(")]
    private static partial Regex Opening();
}
