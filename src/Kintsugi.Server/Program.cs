using Kintsugi.Server;

return await Daemon.Run(args, CancellationToken.None);
