# frozen_string_literal: true

module Cablestay
  module State
    # Rails >= 7.1 can marshal a record as what its row holds, which is the default of new apps: right for a cache, but
    # unsaved changes, the app's own variables in it and that it was destroyed are lost. Between events they are kept;
    # the types of the attributes, which may hold procs, are still left to the class.
    module Records
      # Rebuilt from what is kept.
      DERIVED = %i[ @attributes @mutations_from_database @mutations_before_last_save ].freeze

      # Of no meaning to the app once an event has ended, and not there from the start.
      RAILS_OWN = %i[ @association_cache @errors @validation_context ].freeze

      # Prepended to ActiveRecord::Base. Rails' own format is an Array.
      module Loading
        def marshal_load(state)
          return super unless state.is_a?(Hash)

          self.class.define_attribute_methods
          @attributes = Records.attributes(self.class, state[:attributes])
          saved = state[:saved] and
            @mutations_before_last_save = ActiveModel::AttributeMutationTracker.new(Records.attributes(self.class, saved))
          state[:ivars].each { |name, value| instance_variable_set(name, value) }
          freeze if state[:frozen]
        end
      end

      # Prepended to ActiveRecord::Base where Rails has its format in use: one method more changes what Ruby does.
      module Dumping
        def marshal_dump
          return super unless References.current

          saved = @mutations_before_last_save&.instance_variable_get(:@attributes) # what saved_changes tells of
          { attributes: Records.values(@attributes), saved: saved && Records.values(saved),
            ivars: (instance_variables - DERIVED).to_h { |name| [ name, instance_variable_get(name) ] },
            frozen: frozen? }
        end
      end

      class << self
        # What a set of attributes holds, without their types; the next makes it a set again.
        def values(set)
          attributes = set.keys.to_h { |name| [ name, set[name] ] }
          { originals: attributes.transform_values(&:original_value_for_database),
            changes: attributes.select { |_, attribute| attribute.changed? }.transform_values(&:value_for_database) }
        end

        def attributes(model, values)
          model.attributes_builder.build_from_database(values[:originals]).tap do |set|
            values[:changes].each { |name, value| set.write_from_user(name, set[name].type.deserialize(value)) }
          end
        end

        def record?(object)
          !@base.nil? && @base === object
        end

        def relation?(object)
          !@base.nil? && ActiveRecord::Relation === object
        end

        # What the app put into a record, and what of its associations is loaded.
        def children(record)
          (record.instance_variables - DERIVED).each do |name|
            value = record.instance_variable_get(name)
            name == :@association_cache ? value&.each_value { |association| yield association.target } : yield(value)
          end
        end

        # What it is beside what its row and its associations hold; errors where it has some. What Rails itself notes in a
        # hash is there as its values.
        def own(record)
          (record.instance_variables - DERIVED - %i[ @association_cache ]).flat_map do |name|
            value = record.instance_variable_get(name)
            case value
            when ActiveModel::Errors then value.empty? ? [] : [ value ]
            when Hash then name.start_with?("@_") ? value.values : [ value ]
            else [ value ]
            end
          end
        end

        # Has it been read to its end?
        def whole?(record)
          !record.instance_variable_get(:@attributes).nil?
        end

        # What its associations have loaded.
        def loaded(record)
          Array(record.instance_variable_get(:@association_cache)&.values).flat_map { |association| association.target }.compact
        end

        # What an association has loaded is exchanged for what the block says, if anything.
        def exchange(record)
          record.instance_variable_get(:@association_cache)&.each_value do |association|
            target = association.target
            if target.is_a?(Array)
              target.map! { |loaded| yield(loaded) || loaded }
            elsif (other = yield(target))
              association.instance_variable_set(:@target, other)
            end
          end
        end

        # The variables that the app or a gem has given to it.
        def app_ivars(record)
          rails = record.class.allocate.tap { |blank| blank.send(:init_internals) }.instance_variables + DERIVED + RAILS_OWN
          names = record.instance_variables.reject { |name| rails.include?(name) || name.start_with?("@_") }
          names.to_h { |name| [ name, record.instance_variable_get(name) ] }
        end

        # Says of which columns the tables are; a record of other ones would be half a record.
        def columns(records)
          records.map(&:class).uniq.to_h { |model| [ model, names(model) ] }
        end

        def check_columns(columns)
          columns.each do |model, before|
            now = names(model)
            raise UnreadableState, "#{model.table_name} has #{difference(before.lines, now.lines)}" unless now == before
          end
        end

        def extend_rails(base)
          @base = base
          base.prepend(Loading) if base.method_defined?(:marshal_load)
        end

        # Before state is marshalled: by then the app has chosen its format.
        def keep_whole
          @base.prepend(Dumping) if @base&.method_defined?(:marshal_dump) && !(@base < Dumping)
        end

        private
          # One string is quicker to marshal than many.
          def names(model)
            model.column_names.sort.join("\n")
          end

          def difference(before, now)
            before, now = before.map(&:chomp), now.map(&:chomp)
            [ *(before - now).map { |name| "no column #{name} any more" }, *(now - before).map { |name| "a new column #{name}" } ].join(", ")
          end
      end
    end
  end
end
