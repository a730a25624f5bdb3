# frozen_string_literal: true

# Where the gems come from: Bundler if this app has been bundled (there is a Gemfile.lock, or the process
# was started with `bundle exec`), otherwise the Ruby packages of a distribution, which are on Ruby's load
# path without Bundler. The Gemfile stays the only list of gems either way.
module Gems
  class << self
    def setup(gemfile)
      ENV["BUNDLE_GEMFILE"] ||= gemfile
      if File.exist?("#{ENV["BUNDLE_GEMFILE"]}.lock") || defined?(Bundler::Setup) || ENV["RUBYOPT"].to_s.include?("bundler/setup")
        require "bundler/setup"
      else
        @packaged = Packaged.new(gemfile).setup
      end
    end

    def require_all(*groups)
      @packaged ? @packaged.require_all(*groups) : Bundler.require(*groups)
    end
  end

  # Reads the few words of a Gemfile that this app uses.
  class Packaged
    Entry = Struct.new(:name, :path, :library, :groups)

    def initialize(gemfile)
      @root = File.dirname(gemfile)
      @entries = []
      @groups = [ :default ]
      instance_eval File.read(gemfile), gemfile
    end

    def setup
      @entries.filter_map(&:path).each { |path| $LOAD_PATH.unshift File.join(path, "lib") }
      self
    end

    def require_all(*groups)
      @entries.each do |entry|
        require entry.library if entry.library && (entry.groups & [ :default, *groups.map(&:to_sym) ]).any?
      rescue LoadError => error
        raise unless error.path == entry.library
        raise LoadError, "#{entry.name} is in the Gemfile and not installed: apt-get install ruby-#{entry.name}, or bundle install"
      end
    end

    private
      def gem(name, *_versions, path: nil, require: name)
        @entries << Entry.new(name, path && File.expand_path(path, @root), require, @groups)
      end

      def group(*names)
        before, @groups = @groups, names
        yield
      ensure
        @groups = before
      end
  end
end
