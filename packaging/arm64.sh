# Sourced by package.sh: settings to compile C for arm64 on another machine. Debian's cross compiler, and the arm64 libraries of
# the release that the packages are for, unpacked into a folder of their own: this machine's dpkg does not hear of a second
# architecture, and nothing of arm64 runs here.
arm64=$(pwd)/build/arm64
if [ ! -e "$arm64/complete" ]; then
	rm -rf "$arm64"
	mkdir -p build
	# The mirror is the one this machine's own apt uses.
	apt-get indextargets --no-release-info --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		grep -E ' bookworm(-[a-z]+)? main$' | sort -u |
		mmdebstrap --quiet --variant=extract --architectures=arm64 --mode=root --format=directory \
			--include=libc6-dev,libstdc++-12-dev,libopus-dev,libopenh264-dev,libturbojpeg0-dev,libwebrtc-audio-processing-dev \
			bookworm "$arm64" -
	ln -sfn wels "$arm64/usr/include/openh264" # as the Makefile does for this machine
	touch "$arm64/complete"
fi
export CC="aarch64-linux-gnu-gcc --sysroot=$arm64" CXX="aarch64-linux-gnu-g++ --sysroot=$arm64"
export PKG_CONFIG_LIBDIR=$arm64/usr/lib/aarch64-linux-gnu/pkgconfig:$arm64/usr/share/pkgconfig PKG_CONFIG_SYSROOT_DIR=$arm64
export CGO_CFLAGS="-O2 -g" CGO_CXXFLAGS="-O2 -g"
