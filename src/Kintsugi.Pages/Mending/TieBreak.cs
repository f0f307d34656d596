namespace Kintsugi.Pages.Mending;

/// <summary>Chooses among changes that all make the page sound. Choosing weakens the ground: a rival was possible.</summary>
internal static class TieBreak
{
    /// <summary>The one to make, or null.</summary>
    public static Edit? Choose(ReadOnlySpan<byte> page, List<Edit> fitting)
    {
        if (fitting.Count <= 1) return fitting.Count == 0 ? null : fitting[0];
        var supported = fitting.Where(edit => edit.Witnesses.Count > 0 && edit.Witnesses.All(witness => witness.Supports)).ToList();
        if (supported.Count == 1) return supported[0] with { Basis = Basis.Testimony };
        Edit? single = null;
        foreach (var edit in fitting)
        {
            if (edit.BitsChanged(page) != 1) continue;
            if (single is not null) return null;
            single = edit;
        }
        return single is null ? null : single with { Basis = Basis.Testimony, IsGuess = true };
    }
}
