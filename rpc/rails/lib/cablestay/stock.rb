# frozen_string_literal: true

module Cablestay
  # Tells Rails' own code, and this gem's, from that of the app and of gems that extend Action Cable: by the file that it is in.
  module Stock
    LIBRARIES = %w[ ActiveSupport ActiveRecord ActionView ActionCable Rails ].freeze
    OWNERS = /\A(#<Class:)?(#{[ *LIBRARIES, "Cablestay" ].join("|")})::/ # deprecate and alias_method put Rails' code in a class of the app's
    HOOKS = %i[ before after around run complete ].freeze # of objects that are callbacks

    class << self
      # Is each of these methods Rails' own, with all that it overrides? One that is not there runs nothing.
      def methods?(type, names)
        names.all? { |name| !type.method_defined?(name) && !type.private_method_defined?(name) || whole?(type.instance_method(name)) }
      end

      # Are all of these callbacks Rails' own, and run without a condition of the app's? They are of the +type+ whose methods they name.
      def callbacks?(chain, type)
        chain.all? do |callback|
          %i[ @if @unless ].all? { |conditions| Array(callback.instance_variable_get(conditions)).empty? } &&
            filter?(RailsVersions.filter(callback), type)
        end
      end

      private
        def filter?(filter, type)
          case filter
          when Symbol then methods?(type, [ filter ])
          when Proc then own?(filter)
          else hook?(filter) && (!filter.respond_to?(:hook) || hook?(filter.hook))
          end
        end

        def hook?(object)
          HOOKS.all? { |name| !object.respond_to?(name) || whole?(object.method(name)) }
        end

        def whole?(method)
          while method
            return false unless own?(method) && method.owner.inspect.match?(OWNERS)

            method = method.super_method
          end
          true
        end

        def own?(code)
          path, = code.source_location
          !path.nil? && folders.any? { |folder| path.start_with?(folder) }
        end

        def folders
          @folders ||= [ File.dirname(__FILE__), *libraries, *RailsVersions.socket_folder ].map { |folder| "#{folder}/" }
        end

        # Each has this method in a file of its own folder.
        def libraries
          loaded = LIBRARIES.filter_map { |name| Object.const_get(name) if Object.const_defined?(name) }
          loaded.select { |library| library.respond_to?(:gem_version) }.map { |library| File.dirname(library.method(:gem_version).source_location.first) }
        end
    end
  end
end
