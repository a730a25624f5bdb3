# frozen_string_literal: true

# The methods of Action Cable that its documentation has, as the installed version's own source says: public ones without
# :nodoc:, and private ones with :doc:. Of an accessor and its like (x, x=, x?) it has the first.
class PublicApi
  def self.names
    new.names
  end

  def names
    names = modules_below(ActionCable).flat_map { |mod| names_of(mod) }
    names.reject { |name| name.end_with?("=", "?") && names.include?(name.chop) }.sort
  end

  private
    def modules_below(mod, found = [])
      return found if found.include?(mod) || hidden?(mod)

      found << mod
      mod.constants(false).each do |name|
        constant = mod.const_get(name)
        modules_below(constant, found) if constant.is_a?(Module) && constant.name == "#{mod.name}::#{name}"
      rescue LoadError, NameError
        next # an adapter whose gem is not installed
      end
      found
    end

    def names_of(mod)
      own(mod, "#{mod.name}#") + own(mod.singleton_class, "#{mod.name}.")
    end

    def own(mod, prefix)
      shown = mod.public_instance_methods(false).reject { |name| line_of(mod, name).match?(/#\s*:nodoc:/) }
      shown += mod.private_instance_methods(false).select { |name| line_of(mod, name).match?(/#\s*:doc:/) }
      shown.select { |name| location_of(mod, name) }.map { |name| "#{prefix}#{name}" }
    end

    # Only what Action Cable itself defines.
    def location_of(mod, name)
      file, line = mod.instance_method(name).source_location
      [ file, line ] if file&.include?("/action_cable") && !file.include?("/app/")
    end

    def line_of(mod, name)
      source_line(*location_of(mod, name))
    end

    def hidden?(mod)
      source_line(*Object.const_source_location(mod.name)).match?(/#\s*:nodoc:/)
    end

    def source_line(file = nil, line = nil)
      return "" unless file && File.exist?(file)

      (@sources ||= {})[file] ||= File.readlines(file)
      @sources[file][line - 1].to_s
    end
end
