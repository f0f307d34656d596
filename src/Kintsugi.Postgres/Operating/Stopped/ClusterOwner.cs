using Kintsugi.Postgres.Scratch;

namespace Kintsugi.Postgres.Operating.Stopped;

/// <summary>Gives a laid-out copy to the user whose cluster it is a copy of: a server refuses a data directory of anybody else.</summary>
public static class ClusterOwner
{
    public static async ValueTask Take(string copy, string original, CancellationToken cancellationToken)
    {
        if (Environment.IsPrivilegedProcess)
            await ScratchAccount.Run(new ScratchAccount(null).Command(["chown", "-R", "--no-dereference", $"--reference={original}", copy]), cancellationToken);
    }
}
