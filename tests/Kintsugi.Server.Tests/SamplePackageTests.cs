using System.Diagnostics;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Server.Tests;

/// <summary>The sample as a stranger would have it: no project of this tree, only the packages that are made from it.</summary>
public sealed class SamplePackageTests(Servers servers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Tree { get; } = FindTree();

    [Fact]
    public async Task The_sample_shop_is_built_from_packages_of_this_tree_and_watches_over_its_stock()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1", "packing and restoring take a minute: ./test --all");
        var home = Directory.CreateTempSubdirectory("kintsugi-packages-").FullName;
        var version = $"0.1.0-test{Environment.ProcessId}";
        await Dotnet(Tree, "pack", "kintsugi.slnx", "--no-build", "-c", "Debug", "-o", Path.Combine(home, "feed"), $"-p:PackageVersion={version}", "--nologo");
        Assert.True(File.Exists(Path.Combine(home, "feed", $"Kintsugi.Web.{version}.nupkg")));
        var project = Copy(home, version);
        // What comes from elsewhere lies in the cache already; what is made here must not get into it.
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await Dotnet(project, "build", "--nologo", "-v", "q", $"-p:RestoreAdditionalProjectSources={Path.Combine(home, "feed")}",
            $"-p:RestorePackagesPath={Path.Combine(home, "packages")}", $"-p:RestoreFallbackFolders={cache}", "-o", Path.Combine(home, "shop"));

        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("CREATE TABLE products (id integer PRIMARY KEY, stock integer NOT NULL); INSERT INTO products VALUES (1, 5), (2, -1)", Stop);
        var port = WebhookReceiver.FreePort();
        using var shop = Process.Start(new ProcessStartInfo(Path.Combine(home, "shop", "kintsugi-sample"),
        [
            "--urls", $"http://127.0.0.1:{port}", "--KintsugiState", Path.Combine(home, "state"), "--StaffToken", "token",
            "--Kintsugi:Targets:0:Name", "shop", "--Kintsugi:Targets:0:Databases:0", database.Name,
            "--Kintsugi:Targets:0:Connection", $"host={database.Cluster.SocketDirectory} port={database.Cluster.Port} user=postgres dbname={database.Name}",
        ]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            using var api = new Api($"http://127.0.0.1:{port}/kintsugi");
            await Until("the shop listens", shop, async () => (await api.Post("jobs/db.orphan_cleanup/run", "token", scheme: "Token")).Status == System.Net.HttpStatusCode.OK);
            await Until("its own check finds what is wrong", shop, async () => (await api.Get("cases?fault=rule-violated", "token", scheme: "Token")).Body
                .GetProperty("cases").EnumerateArray().Any(found => found.GetProperty("object").GetString() == "public.products"));
        }
        finally
        {
            shop.Kill();
            await shop.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>Its sources as they are, and a project that knows packages only.</summary>
    private static string Copy(string home, string version)
    {
        var project = Directory.CreateDirectory(Path.Combine(home, "sample")).FullName;
        foreach (var source in Directory.EnumerateFiles(Path.Combine(Tree, "samples", "Kintsugi.SampleShop"), "*.cs"))
            File.Copy(source, Path.Combine(project, Path.GetFileName(source)));
        File.WriteAllText(Path.Combine(project, "Shop.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <AssemblyName>kintsugi-sample</AssemblyName>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Kintsugi.Web" Version="{version}" />
              </ItemGroup>
            </Project>
            """);
        return project;
    }

    private static async Task Dotnet(string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(Stop), process.StandardError.ReadToEndAsync(Stop));
        await process.WaitForExitAsync(Stop);
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{string.Concat(said)}");
    }

    private static async Task Until(string what, Process shop, Func<Task<bool>> holds)
    {
        var begun = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (!await Holds(holds))
        {
            Assert.False(shop.HasExited, $"the shop ended while \"{what}\" was awaited");
            Assert.True(Stopwatch.GetElapsedTime(begun) < Patience, $"in vain: {what}");
            await timer.WaitForNextTickAsync(Stop);
        }
    }

    private static async Task<bool> Holds(Func<Task<bool>> holds)
    {
        try
        {
            return await holds();
        }
        catch (HttpRequestException)
        {
            return false; // it does not listen yet
        }
    }

    private static string FindTree()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "kintsugi.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no checkout");
    }
}
