from central_sync.cli import main

raise SystemExit(main())
