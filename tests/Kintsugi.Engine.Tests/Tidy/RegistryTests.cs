using Kintsugi.Postgres;

namespace Kintsugi.Engine.Tests.Tidy;

/// <summary>Checks, repairs and fault classes: one list each, joined by ids, each class with its page.</summary>
public sealed class RegistryTests
{
    /// <summary>Classes that are named to users and that no check finds yet. An entry goes when its check comes.</summary>
    private static readonly string[] NotYetFound = [];

    /// <summary>With what is done for servers that are down, and for those that let nobody in.</summary>
    private static readonly Registry Everything = new(PostgresRegistry.Create().Checks,
        [.. new[] { PostgresRegistry.Create(), PostgresRegistry.Stopped(), PostgresRegistry.LockedOut() }.SelectMany(registry => registry.Repairs).DistinctBy(repair => repair.Id)]);

    [Fact]
    public void Every_check_is_registered() =>
        Assert.Equal([], Implementations<ICheck>().Except(Everything.Checks.Select(check => check.GetType())).Select(type => type.Name));

    [Fact]
    public void Every_repair_is_registered() =>
        Assert.Equal([], Implementations<IRepair>().Except(Everything.Repairs.Select(repair => repair.GetType())).Select(type => type.Name));

    [Fact]
    public void Ids_are_unique_and_fit_a_command_line()
    {
        string[] ids = [.. Everything.Checks.Select(check => check.Id)];
        string[] repairs = [.. Everything.Repairs.Select(repair => repair.Id)];
        Assert.Equal(ids.Distinct(), ids);
        Assert.Equal(repairs.Distinct(), repairs);
        Assert.Equal(Faults.All.Select(fault => fault.Id).Distinct(), Faults.All.Select(fault => fault.Id));
        Assert.All(ids.Concat(repairs).Concat(Faults.All.Select(fault => fault.Id)), id => Assert.Matches("^[a-z][a-z0-9-]*[a-z0-9]$", id));
    }

    [Fact]
    public void Every_fault_class_is_found_by_a_check_or_listed_as_not_yet_found()
    {
        var found = Everything.Checks.SelectMany(check => check.Finds).Select(fault => fault.Id).ToHashSet();
        Assert.Equal(NotYetFound.Order(), Faults.All.Select(fault => fault.Id).Where(id => !found.Contains(id)).Order());
    }

    [Fact]
    public void Every_fault_class_has_a_page_that_names_its_checks_and_repairs()
    {
        foreach (var fault in Faults.All)
        {
            var path = Path.Combine(Sources.Root, "docs", "faults", $"{fault.Id}.md");
            Assert.True(File.Exists(path), $"{fault.Id} has no page: docs/faults/{fault.Id}.md");
            var page = File.ReadAllText(path);
            Assert.StartsWith($"# {fault.Id}", page, StringComparison.Ordinal);
            foreach (var check in Everything.Checks.Where(check => check.Finds.Contains(fault)))
                Assert.True(page.Contains($"`{check.Id}`", StringComparison.Ordinal), $"{path} does not name the check {check.Id}");
            foreach (var repair in Everything.RepairsFor(fault))
                Assert.True(page.Contains($"`{repair.Id}`", StringComparison.Ordinal), $"{path} does not name the repair {repair.Id}");
        }
    }

    [Fact]
    public void No_page_is_about_a_class_that_does_not_exist() => Assert.Equal([], Directory
        .EnumerateFiles(Path.Combine(Sources.Root, "docs", "faults"), "*.md").Select(path => Path.GetFileNameWithoutExtension(path)!)
        .Except([.. Faults.All.Select(fault => fault.Id), "README"]));

    private static IEnumerable<Type> Implementations<T>() => typeof(PostgresRegistry).Assembly.GetTypes()
        .Where(type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(T)));
}
