# frozen_string_literal: true

require "date"

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

      # What forms and params give.
      PLAIN = [ String, Numeric, Symbol, true, false, nil, Date, Time ].freeze

      # Prepended to ActiveRecord::Base. Rails' own format is an Array.
      module Loading
        def marshal_load(state)
          return super unless state.is_a?(Hash)

          self.class.define_attribute_methods
          @attributes = Records.attributes(self.class, state[:attributes])
          saved = state[:saved] and
            @mutations_before_last_save = ActiveModel::AttributeMutationTracker.new(Records.attributes(self.class, saved))
          state[:ivars].each { |name, value| instance_variable_set(name, value) }
          Array(state[:forced]).zip([ :mutations_from_database, :mutations_before_last_save ]) do |names, mutations|
            names&.each { |name| send(mutations).force_change(name) }
          end
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
            forced: [ @mutations_from_database, @mutations_before_last_save ].map { |mutations| Records.forced(mutations) }, frozen: frozen? }
        end
      end

      class << self
        # What a set of attributes holds, without their types; the next makes it a set again. What the app has given to one is
        # kept as it was given: validations look at that.
        def values(set)
          attributes = set.keys.to_h { |name| [ name, set[name] ] }
          given, changed = attributes.select { |_, attribute| attribute.changed? }.partition { |_, attribute| as_given?(attribute) }
          { originals: attributes.transform_values(&:original_value_for_database), given: given.to_h.transform_values(&:value_before_type_cast),
            changes: changed.to_h.transform_values(&:value_for_database) }
        end

        def attributes(model, values)
          model.attributes_builder.build_from_database(values[:originals]).tap do |set|
            values[:changes].each { |name, value| set.write_from_user(name, set[name].type.deserialize(value)) }
            values[:given]&.each { |name, value| set.write_from_user(name, value) }
          end
        end

        # The attributes of which the app has said that they will change.
        def forced(mutations)
          mutations&.instance_variable_get(:@forced_changes)&.keys
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

        # Beside its row: its variables, the hashes in which Rails notes something, and what its associations have loaded. Errors
        # are among the variables where there are some.
        def parts(record)
          own, noted = [], []
          (record.instance_variables - DERIVED - %i[ @association_cache ]).each do |name|
            value = record.instance_variable_get(name)
            if Hash === value && name.start_with?("@_") then noted << value
            elsif !(ActiveModel::Errors === value && value.empty?) then own << value
            end
          end
          [ own, noted, Array(record.instance_variable_get(:@association_cache)&.values).map(&:target) ]
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
          return {} if records.empty?

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
          # Not where it has been changed in place since then.
          def as_given?(attribute)
            given = attribute.value_before_type_cast
            attribute.came_from_user? && PLAIN.any? { |type| type === given } &&
              attribute.type.serialize(attribute.type.cast(given)) == attribute.value_for_database
          rescue StandardError # of a type that makes nothing of it
            false
          end

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
